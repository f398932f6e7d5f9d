import pg from 'pg';
import { type TestDatabase, testDatabase } from '../../test/support/postgres.js';
import { TransactionPoolerError } from './errors.js';
import { openSession, type ProbedSession, refuseTransactionPooler } from './pooler.js';

describe('Sessions behind a pooler', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await testDatabase();
  });
  afterAll(() => database.drop());

  /** Sessions that share `processes` of the server, each statement outside of a transaction on the one that is next. */
  async function shared<T>(
    processes: number,
    work: (open: () => Promise<ProbedSession>) => Promise<T>,
  ): Promise<T> {
    const servers = Array.from(
      { length: processes },
      () => new pg.Client({ connectionString: database.url }),
    );
    for (const server of servers) await server.connect();
    const free = [...servers];
    const open = async (): Promise<ProbedSession> => {
      let mine: pg.Client | null = null;
      return {
        query: async (text) => {
          const server = mine ?? free.shift();
          if (server === undefined) throw new Error('no server is free');
          mine = text === 'begin' ? server : text === 'commit' ? null : mine;
          if (mine === null) free.push(server);
          return server.query(text);
        },
        end: async () => undefined,
      };
    };
    try {
      return await work(open);
    } finally {
      for (const server of servers) await server.end();
    }
  }

  it('that have a process each are taken', async () => {
    const session = await openSession(database.url);
    const open = (): Promise<ProbedSession> => openSession(database.url);
    await expect(refuseTransactionPooler(session, open)).resolves.toBeUndefined();
    await session.end();
  });

  it.each([1, 2, 3, 5])('that share %i processes are refused, with what to do', async (processes) => {
    await shared(processes, async (open) => {
      const refused = refuseTransactionPooler(await open(), open);
      await expect(refused).rejects.toThrow(TransactionPoolerError);
      await expect(refused).rejects.toThrow(/session mode/);
    });
  });
});
