import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { EventStore, StoredEvent } from '../../src/event-store/event-store.js';

/** Where the services of a run keep their log: one switch, TEST_STORE, set by the Jest project. */
export const LOG_IN_EVENTSTOREDB = process.env.TEST_STORE === 'eventstoredb';

/** A log of one test's own, and the settings with which a service uses it. */
export interface TestLog {
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/**
 * A fresh log: in the service's database, or in EventStoreDB: the test server as a process of its own, or, by streams with
 * a prefix of their own, the real server that TEST_EVENTSTORE_URL names.
 */
export async function testLog(): Promise<TestLog> {
  if (!LOG_IN_EVENTSTOREDB) return { environment: {}, close: async () => undefined };
  const real = process.env.TEST_EVENTSTORE_URL;
  if (real !== undefined) {
    const environment = { EVENTSTORE_URL: real, STREAM_PREFIX: `tenure-${randomUUID()}.` };
    return { environment, close: async () => undefined };
  }
  const server = await EventStoreDbProcess.start();
  return { environment: { EVENTSTORE_URL: server.url }, close: () => server.end('SIGTERM') };
}

/** The test server as a process of its own. */
export class EventStoreDbProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(): Promise<EventStoreDbProcess> {
    const child = spawn(
      process.execPath,
      [
        '--no-warnings',
        '--import',
        new URL('./register-typescript.mjs', import.meta.url).href,
        fileURLToPath(new URL('./eventstoredb/main.ts', import.meta.url)),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await once(child.stdout, 'data');
    return new EventStoreDbProcess(String(line).trim(), child);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.child, 'close');
    this.child.kill(signal);
    await ended;
  }
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
