import { randomBytes } from 'node:crypto';
import type { WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { benchEventStore } from '../support/bench-event-store.js';
import { BenchLog } from '../support/bench-log.js';
import { benchAppend } from './eventstore-append.js';
import { benchEventStoreIngest } from './eventstore-ingest.js';
import { benchReadAll } from './eventstore-read-all.js';

/** Tenure on EventStoreDB beside the bare client on the same server: appends, reading the log, webhooks. */
export async function benchEventStoreDb(context: BenchContext): Promise<WorkReport> {
  const server = await benchEventStore(context.eventStoreUrl);
  context.say(`  on ${server.description}`);
  try {
    const prefix = `bench-${randomBytes(4).toString('hex')}.`;
    const log = new BenchLog(server.url, prefix);
    try {
      const all = { context, server, log, prefix };
      const reports = [await benchReadAll(all), await benchAppend(all), await benchEventStoreIngest(all)];
      return {
        rows: reports.flatMap(({ rows }) => rows),
        notes: [
          { what: 'eventstore: measured on', value: server.description },
          ...reports.flatMap(({ notes }) => notes),
        ],
      };
    } finally {
      await log.close();
    }
  } finally {
    await server.stop();
  }
}
