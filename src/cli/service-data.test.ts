import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../database/embedded-postgres.js';
import { runCli } from './program.js';

describe('A command without DATABASE_URL', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'tenure-visit-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  /** Names of the keys that `tenure keys list` shows. */
  async function keys(): Promise<readonly string[]> {
    let out = '';
    const code = await runCli(['keys', 'list', '--json'], {
      environment: { DATA_DIR: dataDir },
      out: (text) => {
        out += text;
      },
      err: () => undefined,
    });
    expect(code).toBe(0);
    return JSON.parse(out).map(({ name }: { name: string }) => name);
  }

  it('works on the server of the service that runs, which stays; else on one of its own, which ends with it', async () => {
    const server = await startEmbeddedPostgres({
      dataDir,
      durability: 'volatile',
      onProgress: () => undefined,
    });
    expect(await keys()).toEqual([]);
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    await client.query(
      `insert into tenure.api_key (id, name, hash, scopes, created_at)
       values ('key_1', 'kept', $1, '{ops}', now())`,
      ['0'.repeat(64)],
    );
    await client.end();
    await server.stop();

    const isRunning = (): boolean => existsSync(join(dataDir, 'postgres', 'postmaster.pid'));
    expect(isRunning()).toBe(false);
    expect(await keys()).toEqual(['kept']);
    expect(isRunning()).toBe(false);
  }, 60_000);
});
