import { spawnSync } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { testFolder } from '../../../test/support/folder.js';
import { DataDirInUseError, EmbeddedPostgresError } from '../errors.js';
import { type EmbeddedPostgres, startEmbeddedPostgres, visitEmbeddedPostgres } from './embedded-postgres.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

describe('the embedded PostgreSQL', () => {
  let folder: string;
  let dataDir: string;
  let fresh: string;
  const saidFirst: string[] = [];
  const running: EmbeddedPostgres[] = [];

  beforeAll(async () => {
    fresh = await testFolder('tenure-fresh-');
    const onProgress = (message: string): void => void saidFirst.push(message);
    await (await startEmbeddedPostgres({ dataDir: fresh, onProgress })).stop();
  });
  afterAll(() => rm(fresh, { recursive: true, force: true }));

  beforeEach(async () => {
    folder = await testFolder('tenure-embedded-'); // 0700, ours
    dataDir = join(folder, 'data');
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  });

  /** Saves the time of creating a database where that is not what is tested. */
  const useFreshCopy = (): void => {
    expect(spawnSync('cp', ['-a', fresh, dataDir]).status).toBe(0);
  };

  async function start(onProgress?: (message: string) => void): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres({ dataDir, ...(onProgress && { onProgress }) });
    running.push(server);
    return server;
  }

  it('keeps its data over a restart, and says that it creates a database the first time alone', async () => {
    expect(saidFirst).toEqual([`creating a PostgreSQL 18 database in ${fresh}/postgres`]);
    useFreshCopy();
    const said: string[] = [];
    const first = await start((message) => said.push(message));
    await query(first.url, 'create table kept (id int)');
    await first.stop();
    await expect(query(first.url, 'select 1')).rejects.toThrow('ECONNREFUSED');

    const second = await start((message) => said.push(message));
    expect(await query(second.url, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
    expect(said).toEqual([]);
  });

  it('is visited through the server of its owner, which stays, else through one that ends with the visit', async () => {
    useFreshCopy();
    const owner = await start();
    const guest = await visitEmbeddedPostgres({ dataDir });
    expect(guest.url).toBe(owner.url);
    await guest.leave();
    await query(owner.url, 'create table kept (id int)');
    await owner.stop();
    const alone = await visitEmbeddedPostgres({ dataDir });
    expect(await query(alone.url, 'select count(*)::int as n from kept')).toEqual([{ n: 0 }]);
    await alone.leave();
    await expect(query(alone.url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('is durable, in UTF8 with locale C, on the loopback interface alone, with a password and one owner', async () => {
    useFreshCopy();
    const { url } = await start();
    const rows = await query(
      url,
      `select name, setting from pg_settings
        where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses',
                       'unix_socket_directories', 'server_encoding')`,
    );
    expect(Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      server_encoding: 'UTF8',
    });
    expect(await query(url, 'select datcollate from pg_database where datname = current_database()')).toEqual(
      [{ datcollate: 'C' }],
    );

    const refused = start();
    await expect(refused).rejects.toThrow(DataDirInUseError);
    await expect(refused).rejects.toMatchObject({ pid: process.pid, code: 'data_dir_in_use' });

    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toThrow('password authentication failed');
    const { mode } = await stat(join(dataDir, 'postgres', 'tenure.password'));
    expect(mode & 0o777).toBe(0o600);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('refuses data of another PostgreSQL version in one line', async () => {
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/^.* holds data of PostgreSQL 17, this is 18: [^\n]*$/);
  });

  it('refuses a data folder that cannot be made in one line', async () => {
    await writeFile(dataDir, 'a file is in the way');
    const refused = start();
    await expect(refused).rejects.toThrow(EmbeddedPostgresError);
    await expect(refused).rejects.toThrow(
      /^cannot make the folder [^\n]* \(ENOTDIR\): choose another DATA_DIR or set DATABASE_URL$/,
    );
  });

  it('removes what a process killed while creating the database left, not what a living one makes', async () => {
    await mkdir(join(dataDir, 'postgres.new.999999999.abc', 'data'), { recursive: true });
    await mkdir(join(dataDir, `postgres.new.${process.ppid}.abc`));
    await start();
    const names = await readdir(dataDir);
    expect(names).not.toContain('postgres.new.999999999.abc');
    expect(names).toContain(`postgres.new.${process.ppid}.abc`);
  });

  if (isRoot) {
    it('runs as root on data in a folder that the server’s user cannot walk to', async () => {
      useFreshCopy();
      await chmod(folder, 0o700);
      const { url, pid } = await start();
      expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
      await query(url, 'create table kept (id int)');
      await Promise.all(running.splice(0).map((server) => server.stop()));
      expect(await query((await start()).url, 'select * from kept')).toEqual([]);
    });

    it('runs as the owner of the data when root starts it, so that the owner can start it later', async () => {
      await mkdir(join(dataDir, 'postgres'), { recursive: true });
      await chown(join(dataDir, 'postgres'), NOBODY, NOBODY);
      const { pid } = await start();
      expect((await stat(`/proc/${pid}`)).uid).toBe(NOBODY);
    });
  }
});

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
