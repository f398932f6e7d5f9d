import { randomUUID } from 'node:crypto';
import type { EventStore, StoredEvent } from '../../src/event-store/event-store.js';

/** Where the services of a run keep their log: one switch, TEST_STORE, set by the Jest project. */
export const LOG_IN_EVENTSTOREDB = process.env.TEST_STORE === 'eventstoredb';

/** A log of one test's own, and the settings with which a service uses it. */
export interface TestLog {
  readonly environment: Readonly<Record<string, string>>;
  /** What the names of its streams begin with. */
  readonly prefix: string;
}

/**
 * A fresh log: in the service's database; or in EventStoreDB, by streams with a prefix of their own in a log that others
 * use meanwhile: that of the run (`global-setup-eventstoredb.mjs`).
 */
export function testLog(): TestLog {
  if (!LOG_IN_EVENTSTOREDB) return { environment: {}, prefix: 'tenure.' };
  const url = process.env.TENURE_TEST_EVENTSTORE_URL;
  if (url === undefined) throw new Error('no test server: global-setup-eventstoredb.mjs has not run');
  const prefix = `tenure-${randomUUID()}.`;
  return { environment: { EVENTSTORE_URL: url, STREAM_PREFIX: prefix }, prefix };
}

/** Every event of a log, in order. */
export async function wholeLog(store: EventStore): Promise<readonly StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (let from: string | null = null; ; ) {
    const page = await store.readAll(from, 1_000);
    all.push(...page.events);
    if (page.scanned === from) return all;
    from = page.scanned;
  }
}
