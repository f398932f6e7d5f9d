import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { EventStoreDbServer } from '../../test/support/eventstoredb/server.js';
import { testFolder } from '../../test/support/folder.js';
import { wholeLog } from '../../test/support/log.js';
import { metadataOf } from '../commands/aggregate.js';
import { startEmbeddedPostgres } from '../database/embedded/embedded-postgres.js';
import { EventStoreDbEventStore } from '../event-store/eventstoredb/eventstoredb-event-store.js';
import { GENESIS_HASH, sealEvent } from '../events/hash-chain.js';
import { runCli } from './program.js';

/** The first event of a stream, as it would be appended. */
const sealed = sealEvent({
  type: 'CustomerObserved',
  data: { customer: 'cus_1', userId: null },
  stream: 'tenure.customer-cus_1',
  revision: 0,
  prevHash: GENESIS_HASH,
  metadataWithoutHashes: metadataOf(
    { actor: 'stripe', correlationId: 'test', causation: null, stripe: null },
    Date.UTC(2026, 10, 1),
    1,
  ),
  idKey: 'evt_1',
});

describe('A command without DATABASE_URL', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await testFolder('tenure-visit-');
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  /** Runs a command without DATABASE_URL; what it printed, said and ended with. */
  async function tenure(...args: readonly string[]) {
    let [out, err] = ['', ''];
    const code = await runCli(args, {
      environment: { DATA_DIR: dataDir },
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    return { code, out, err };
  }

  /** Names of the keys that `tenure keys list` shows. */
  async function keys(): Promise<readonly string[]> {
    const { code, out } = await tenure('keys', 'list', '--json');
    expect(code).toBe(0);
    return JSON.parse(out).map(({ name }: { name: string }) => name);
  }

  /** What an EventStoreDB holds after `tenure events copy`. */
  async function copied(): Promise<readonly unknown[]> {
    const target = await EventStoreDbServer.start();
    const log = { url: target.url, streamPrefix: 'tenure.', onFault: () => undefined };
    const store = new EventStoreDbEventStore(log);
    try {
      const code = await runCli(['events', 'copy'], {
        environment: { DATA_DIR: dataDir, EVENTSTORE_URL: target.url },
        out: () => undefined,
        err: () => undefined,
      });
      expect(code).toBe(0);
      return (await wholeLog(store)).map(({ id, data, metadata }) => ({ id, data, metadata }));
    } finally {
      await store.close();
      await target.stop();
    }
  }

  it('that only reads makes no database where there is none', async () => {
    expect(await tenure('keys', 'list')).toEqual({
      code: 69,
      out: '',
      err: expect.stringContaining(`there is no database under ${dataDir}`),
    });
    expect(readdirSync(dataDir)).toEqual([]);
  });

  it('works on the server of the service that runs, which stays; else on one of its own, which ends with it', async () => {
    const server = await startEmbeddedPostgres({
      dataDir,
      durability: 'volatile',
      onProgress: () => undefined,
    });
    const client = new pg.Client({ connectionString: server.url });
    await client.connect();
    // A reader migrates nothing, and says that it is needed.
    expect(await tenure('keys', 'list')).toMatchObject({
      code: 69,
      err: expect.stringMatching(/lacks \d+ migr/),
    });
    const schemas = `select nspname from pg_namespace where nspname ~ '^tenure'`;
    expect((await client.query(schemas)).rows).toEqual([]);
    await tenure('keys', 'create', '--name', 'made', '--scope', 'ops');
    expect(await keys()).toEqual(['made']);
    await client.query(
      `insert into tenure.api_key (id, name, hash, scopes, created_at)
       values ('key_1', 'kept', $1, '{ops}', now())`,
      ['0'.repeat(64)],
    );
    await client.query(
      `insert into tenure_log.event values (1, 'tenure.customer-cus_1', 0, $1, $2, $3, $4)`,
      [sealed.id, sealed.type, sealed.data, sealed.metadata],
    );
    await client.end();
    await server.stop();

    const isRunning = (): boolean => existsSync(join(dataDir, 'postgres', 'postmaster.pid'));
    expect(isRunning()).toBe(false);
    expect(await keys()).toEqual(['made', 'kept']);
    expect(isRunning()).toBe(false);
    expect(await copied()).toEqual([{ id: sealed.id, data: sealed.data, metadata: sealed.metadata }]);
    expect(isRunning()).toBe(false);
  });
});
