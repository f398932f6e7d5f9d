import { contentsOf } from '../load/subscription-lives.js';
import type { WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { expectEqual } from '../support/expect-equal.js';
import { type BenchServer, startRival } from '../support/rival-process.js';
import { countInLog, withClient } from '../support/service-log.js';
import { compareReceivers, type Inspection, lagNote } from './webhook-contest.js';

const FLOOR = 'bare node:http + HMAC + INSERT';
const RIVAL = '@supabase/stripe-sync-engine';

/** Signed webhooks per second that are durable when they are answered: ours, the floor and the rival, in turn. */
export async function benchIngest(context: BenchContext): Promise<WorkReport> {
  const lags: number[] = [];
  const floorUrl = await context.database.create('floor');
  const rivalUrl = await context.database.create('rival');
  const env = { BENCH_SECRET: context.secret };
  const started: BenchServer[] = [];
  try {
    const floor = await startRival('bare-insert', { ...env, BENCH_DATABASE_URL: floorUrl });
    started.push(floor);
    const rival = await startRival('sync-engine', { ...env, BENCH_DATABASE_URL: rivalUrl });
    started.push(rival);
    const ours: Inspection = {
      settle: async () => {
        lags.push(await catchUp(context));
      },
      verify: (tag, count) => verifyOurs(context.serviceDatabaseUrl, tag, count),
    };
    const report = await compareReceivers(
      context,
      'ingest',
      { name: 'tenure', server: context.service, begin: async () => ours },
      [
        {
          name: FLOOR,
          server: floor,
          begin: async () => settled((tag, count) => verifyFloor(floorUrl, tag, count)),
          least: 0.8,
          aim: 1.5,
        },
        {
          name: RIVAL,
          server: rival,
          begin: async () => settled((tag, count) => verifyRival(rivalUrl, tag, count)),
          least: 3,
          aim: 6,
        },
      ],
    );
    return { ...report, notes: [...report.notes, lagNote('ingest', lags)] };
  } finally {
    for (const server of started) await server.stop();
  }
}

/** Of a receiver that has done all its work when it answers. */
function settled(verify: Inspection['verify']): Inspection {
  return { settle: async () => undefined, verify };
}

async function verifyOurs(databaseUrl: string, tag: string, count: number): Promise<void> {
  const { events, stripeEvents } = await countInLog(databaseUrl, tag);
  expectEqual(`events in the log for ${tag}`, events, count);
  expectEqual(`different Stripe events in the log for ${tag}`, stripeEvents, count);
}

async function verifyFloor(databaseUrl: string, tag: string, count: number): Promise<void> {
  const stored = await countRows(databaseUrl, 'bare_event', `evt_${tag}`);
  expectEqual(`rows of the bare INSERT for ${tag}`, stored, count);
}

/** It keeps the newest state of each object, not the events. */
async function verifyRival(databaseUrl: string, tag: string, count: number): Promise<void> {
  const expected = contentsOf(count);
  const subscriptions = await countRows(databaseUrl, 'stripe.subscriptions', `sub_${tag}`);
  const invoices = await countRows(databaseUrl, 'stripe.invoices', `in_${tag}`);
  expectEqual(`subscriptions of the sync engine for ${tag}`, subscriptions, expected.subscriptions);
  expectEqual(`invoices of the sync engine for ${tag}`, invoices, expected.invoices);
}

async function countRows(databaseUrl: string, table: string, idPrefix: string): Promise<number> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ count: number }>(`select count(*)::int as count from ${table} where starts_with(id, $1)`, [
      idPrefix,
    ]),
  );
  return rows[0]?.count ?? 0;
}
