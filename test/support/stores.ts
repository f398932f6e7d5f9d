import { openServiceDatabase } from '../../src/start/service-database.js';
import { logInEventStoreDb, testLog } from './log.js';
import { type Template, type TestDatabase, testDatabase } from './postgres.js';
import { pseudonymSettings } from './pseudonyms.js';

/** A database and a log of a test's own, for any number of instances; `environment` are the settings that name both, and what a command needs to work on them. */
export interface TestStores {
  readonly database: TestDatabase;
  readonly environment: Readonly<Record<string, string>>;
  /** What the names of the streams begin with. */
  readonly prefix: string;
  /** Removes both. Whatever uses them must be closed before. */
  drop(): Promise<void>;
}

/** The tables of a service that has not begun, with its log in them or elsewhere; left out, where the switch of the run says. */
export function serviceTables(
  log: 'inside' | 'elsewhere' = logInEventStoreDb() ? 'elsewhere' : 'inside',
): Template {
  const elsewhere = log === 'elsewhere';
  return {
    name: elsewhere ? 'service_on_eventstoredb' : 'service',
    afterwards: 'emptied',
    migrate: async (url) => {
      const database = await openServiceDatabase({
        url,
        eventStoreUrl: elsewhere ? 'esdb://elsewhere' : null,
        onIdleFault: () => undefined,
      });
      await database.close();
    },
  };
}

/** Fresh stores: the log where the switch of the run says (`testLog`), the tables made. */
export async function testStores(): Promise<TestStores> {
  const [database, log] = await Promise.all([testDatabase(serviceTables()), testLog()]);
  return {
    database,
    environment: { DATABASE_URL: database.url, ...log.environment, ...pseudonymSettings() },
    prefix: log.prefix,
    drop: async () => {
      await log.close();
      await database.drop();
    },
  };
}
