import { testLog } from './log.js';
import { type TestDatabase, testDatabase } from './postgres.js';

/** A database and a log of a test's own, for any number of instances; `environment` are the settings that name both. */
export interface TestStores {
  readonly database: TestDatabase;
  readonly environment: Readonly<Record<string, string>>;
  /** What the names of the streams begin with. */
  readonly prefix: string;
  /** Removes both. Whatever uses them must be closed before. */
  drop(): Promise<void>;
}

/** Fresh stores: the log where the switch of the run says (`testLog`). */
export async function testStores(): Promise<TestStores> {
  const [database, log] = await Promise.all([testDatabase(), testLog()]);
  return {
    database,
    environment: { DATABASE_URL: database.url, ...log.environment },
    prefix: log.prefix,
    drop: async () => {
      await log.close();
      await database.drop();
    },
  };
}
