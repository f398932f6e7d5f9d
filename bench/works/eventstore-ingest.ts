import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkReport } from '../report.js';
import { untilProjected } from '../support/catch-up.js';
import type { EventStoreContext } from '../support/eventstore-context.js';
import { expectEqual } from '../support/expect-equal.js';
import { type BenchServer, startRival } from '../support/rival-process.js';
import { startService } from '../support/service-process.js';
import { compareReceivers, type Inspection, lagNote } from './webhook-contest.js';

const LABEL = 'ingest on EventStoreDB';
const FLOOR = 'bare node:http + HMAC + append';

/** Signed webhooks per second that are in EventStoreDB when they are answered: the built service and the floor. */
export async function benchEventStoreIngest(eventStore: EventStoreContext): Promise<WorkReport> {
  const { context, server, prefix } = eventStore;
  const servicePrefix = `${prefix}tenure.`;
  const floorPrefix = `${prefix}bare.`;
  const logFile = join(tmpdir(), `tenure-bench-${process.pid}-eventstore.log`);
  const lags: number[] = [];
  const started: BenchServer[] = [];
  try {
    const databaseUrl = await context.database.create('eventstore');
    const service = await startService({
      databaseUrl,
      secret: context.secret,
      adminKey: context.adminKey,
      log: { EVENTSTORE_URL: server.url, STREAM_PREFIX: servicePrefix },
      logFile,
    });
    started.push(service);
    const floor = await startRival('bare-append', {
      BENCH_SECRET: context.secret,
      BENCH_EVENTSTORE_URL: server.url,
      BENCH_STREAM_PREFIX: floorPrefix,
    });
    started.push(floor);
    const report = await compareReceivers(
      context,
      { label: LABEL, order: 'lives', tag: 'w' },
      {
        name: 'tenure',
        server: service,
        databaseUrl,
        begin: () =>
          inspectOurs(eventStore, servicePrefix, async (position) => {
            lags.push(await untilProjected(service.port, context.adminKey, position));
          }),
      },
      [
        {
          name: FLOOR,
          server: floor,
          databaseUrl,
          begin: () => inspectFloor(eventStore, floorPrefix),
          least: 0.8,
          aim: null,
        },
      ],
    );
    return {
      rows: report.rows,
      notes: [
        ...report.notes,
        lagNote(LABEL, lags),
        { what: `${LABEL}: log of the service`, value: logFile },
      ],
    };
  } finally {
    for (const { stop } of started) await stop();
  }
}

async function inspectOurs(
  { log }: EventStoreContext,
  prefix: string,
  catchUp: (position: string) => Promise<void>,
): Promise<Inspection> {
  const before = await log.mark();
  return {
    settle: async () => catchUp(await log.head()),
    verify: async (tag, count) => {
      const streams = `${prefix}subscription-sub_${tag}`;
      const { events, stripeEvents } = await log.countStripeEvents(before, streams);
      expectEqual(`events in ${streams}…`, events, count);
      expectEqual(`different Stripe events in ${streams}…`, stripeEvents, count);
    },
  };
}

/** One stream for each Stripe event. */
async function inspectFloor({ log }: EventStoreContext, prefix: string): Promise<Inspection> {
  const before = await log.mark();
  return {
    settle: async () => undefined,
    verify: async (tag, count) => {
      const streams = `${prefix}evt_${tag}`;
      const found = await log.countStreams(before, streams);
      expectEqual(`events in ${streams}…`, found.events, count);
      expectEqual(`streams ${streams}…`, found.streams, count);
    },
  };
}
