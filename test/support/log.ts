import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { EventStore } from '../../src/event-store/event-store.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { compiled } from './compiled.js';

/** Whether services keep their log in EventStoreDB: one switch, TEST_STORE, which the Jest project sets for its files. */
export function logInEventStoreDb(): boolean {
  return process.env.TEST_STORE === 'eventstoredb';
}

/** A log of one test's own, and the settings with which a service uses it. */
export interface TestLog {
  readonly environment: Readonly<Record<string, string>>;
  /** What the names of its streams begin with. */
  readonly prefix: string;
  close(): Promise<void>;
}

/**
 * A fresh log: in the service's database; or in EventStoreDB, by streams with a prefix of their own in a log that others
 * use meanwhile: on the test server as a process of its own, or on the real server that TEST_EVENTSTORE_URL names.
 */
export async function testLog(): Promise<TestLog> {
  if (!logInEventStoreDb()) return { environment: {}, prefix: 'tenure.', close: async () => undefined };
  const prefix = `tenure-${randomUUID()}.`;
  const real = process.env.TEST_EVENTSTORE_URL;
  const server = real === undefined ? await EventStoreDbProcess.start('--shared') : null;
  return {
    environment: { EVENTSTORE_URL: server?.url ?? real ?? '', STREAM_PREFIX: prefix },
    prefix,
    close: async () => {
      await server?.end('SIGTERM');
    },
  };
}

/** The test server as a process of its own. */
export class EventStoreDbProcess {
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
  ) {}

  static async start(...args: readonly string[]): Promise<EventStoreDbProcess> {
    const child = spawn(
      process.execPath,
      [
        '--no-warnings',
        '--import',
        compiled('test/support/ends-with-parent.mjs'),
        compiled('test/support/eventstoredb/main.ts'),
        ...args,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
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
