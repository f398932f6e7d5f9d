import { spawn, spawnSync } from 'node:child_process';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { testFolder } from '../../../test/support/folder.js';
import { type PostgresOwner, startPostgresOwner } from '../../../test/support/postgres-owner.js';
import { until } from '../../../test/support/until.js';
import { EmbeddedPostgresDiedError } from '../errors.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';

const NOBODY = 65_534;

describe('the embedded PostgreSQL, when processes are killed or race', () => {
  let fresh: string;
  let dataDir: string;
  const owners: PostgresOwner[] = [];
  const servers: EmbeddedPostgres[] = [];

  beforeAll(async () => {
    fresh = await testFolder('tenure-fresh-');
    await (await startEmbeddedPostgres({ dataDir: fresh })).stop();
  });
  afterAll(() => rm(fresh, { recursive: true, force: true }));

  beforeEach(async () => {
    dataDir = await testFolder('tenure-crash-');
  });
  afterEach(async () => {
    await Promise.all(owners.splice(0).map((owner) => owner.kill('SIGTERM')));
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await rm(dataDir, { recursive: true, force: true });
  });

  /** Saves the time of creating a database where that is not what is tested. */
  const useFreshCopy = (): void => {
    expect(spawnSync('cp', ['-a', `${fresh}/.`, dataDir]).status).toBe(0);
  };

  async function own(identity: { uid?: number; gid?: number } = {}): Promise<PostgresOwner> {
    const owner = await startPostgresOwner(dataDir, identity);
    owners.push(owner);
    return owner;
  }

  async function start(onProgress?: (message: string) => void): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ dataDir, ...(onProgress && { onProgress }) });
    servers.push(server);
    return server;
  }

  it('has every committed row after its owner was killed with SIGKILL, and restarts at once', async () => {
    useFreshCopy();
    const killed = await own();
    await commitRow(serverOf(killed).url, 1);
    await killed.kill('SIGKILL');
    expect(await rowsOf((await start()).url)).toEqual([1]);
  });

  it('ends its server soon after its owner was killed, though nobody starts again', async () => {
    useFreshCopy();
    const killed = await own();
    const { server } = serverOf(killed);
    await killed.kill('SIGKILL');
    await until('the server ended', async () => !(await isRunning(server)));
    expect(await readdir(join(dataDir, 'postgres'))).not.toContain('postmaster.pid');
  });

  it('stops a server that outlived its owner and its watchdog, says so, and has its rows', async () => {
    useFreshCopy();
    const killed = await own();
    const { url, server } = serverOf(killed);
    await commitRow(url, 1);
    process.kill(await watchdogOf(killed.pid), 'SIGKILL');
    await killed.kill('SIGKILL');
    expect(await isRunning(server)).toBe(true);

    const said: string[] = [];
    const next = await start((message) => said.push(message));
    expect(said).toEqual([expect.stringContaining(`stopping the PostgreSQL server ${server} `)]);
    expect(await isRunning(server)).toBe(false);
    expect(await rowsOf(next.url)).toEqual([1]);
  });

  it('recovers every committed row after the server itself was killed, and tells its owner of that', async () => {
    useFreshCopy();
    const first = await start();
    await commitRow(first.url, 1);
    process.kill(first.pid, 'SIGKILL');
    expect(await first.died).toBeInstanceOf(EmbeddedPostgresDiedError);
    expect(await rowsOf((await start()).url)).toEqual([1]);
  });

  it('starts though the pid of a dead server now belongs to another process of the same user', async () => {
    useFreshCopy();
    const { uid, gid } = await stat(join(dataDir, 'postgres'));
    const stranger = spawn('sleep', ['600'], {
      ...(process.getuid?.() === 0 && { uid, gid }),
      stdio: 'ignore',
    });
    try {
      const pidFile = `${stranger.pid}\n${dataDir}/postgres\n1700000000\n5432\n\n127.0.0.1\n\nready   \n`;
      await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), pidFile);
      expect(await rowsOf((await start()).url, 'select 1 as id')).toEqual([1]);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('refuses a second process, naming the first, which serves on', async () => {
    useFreshCopy();
    const first = await own();
    const second = await own();
    expect(second.report).toEqual({
      refused: 'DataDirInUseError',
      message: expect.stringMatching(
        new RegExp(`^${dataDir} is in use by Tenure process ${first.pid}: [^\n]*$`),
      ),
    });
    expect(await rowsOf(serverOf(first).url, 'select 1 as id')).toEqual([1]);
  });

  it('has one owner when two processes start at once on an empty folder', async () => {
    const reports = (await Promise.all([own(), own()])).map((owner) => owner.report);
    const refusals = reports.filter((report) => 'refused' in report);
    expect(refusals).toMatchObject([{ refused: 'DataDirInUseError' }]);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('postgres.new'))).toEqual([]);
  });

  it('keeps its folder through a crash inside the server, which ends all sessions', async () => {
    useFreshCopy();
    const { url } = await start();
    await expect(
      withClient(url, async (client) => {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        process.kill(rows[0]?.pid ?? Number.NaN, 'SIGKILL');
        await client.query('select pg_sleep(60)');
      }),
    ).rejects.toThrow();
    const holders =
      "select a.pid as id from pg_stat_activity a join pg_locks l using (pid) where l.locktype = 'advisory'";
    await until('the folder is held again', async () => {
      const found = await rowsOf(url, holders).catch(() => []); // the server refuses sessions while it recovers
      return found.length === 1;
    });
    expect((await own()).report).toMatchObject({ refused: 'DataDirInUseError' });
  });

  it('stops its server when its owner stops in good order', async () => {
    useFreshCopy();
    const owner = await own();
    const { server } = serverOf(owner);
    expect(await owner.kill('SIGTERM')).toBe(0);
    expect(await isRunning(server)).toBe(false);
  });

  // Only root can become somebody else; as anybody else, every test here is this one.
  if (process.getuid?.() === 0 && nobodyReads(fileURLToPath(import.meta.url))) {
    it('runs for an ordinary user, in a folder of its own', async () => {
      expect(spawnSync('chown', [`${NOBODY}:${NOBODY}`, dataDir]).status).toBe(0);
      const { url, server } = serverOf(await own({ uid: NOBODY, gid: NOBODY }));
      await commitRow(url, 1);
      expect((await stat(`/proc/${server}`)).uid).toBe(NOBODY);
    });
  }
});

function serverOf({ report }: PostgresOwner): { url: string; server: number } {
  if ('refused' in report) throw new Error(`no server: ${report.message}`);
  return report;
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined); // a killed session rejects its query too
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function commitRow(url: string, id: number): Promise<void> {
  await withClient(url, async (client) => {
    await client.query('create table if not exists kept (id int)');
    await client.query('insert into kept values ($1)', [id]);
  });
}

function rowsOf(url: string, text = 'select id from kept order by id'): Promise<number[]> {
  return withClient(url, async (client) =>
    (await client.query<{ id: number }>(text)).rows.map((row) => row.id),
  );
}

/** Alive, and not a process that has ended but that nobody has waited for yet. */
async function isRunning(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined);
  return status !== undefined && !/^State:\s+Z/m.test(status);
}

async function watchdogOf(owner: number): Promise<number> {
  const found = spawnSync('pgrep', ['-P', String(owner), '-f', 'tenure-watchdog'], { encoding: 'utf8' });
  return Number.parseInt(found.stdout, 10);
}

function nobodyReads(path: string): boolean {
  return spawnSync('test', ['-r', path], { uid: NOBODY, gid: NOBODY }).status === 0;
}
