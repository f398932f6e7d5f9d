import { contentsOf, type WebhookOrder } from '../load/subscription-lives.js';
import type { WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { recordBeginnings } from '../support/existing-subscriptions.js';
import { expectEqual } from '../support/expect-equal.js';
import { type BenchServer, startRival } from '../support/rival-process.js';
import { countInLog, withClient } from '../support/service-log.js';
import {
  type Contender,
  type Contest,
  compareReceivers,
  type Inspection,
  lagNote,
  type Opponent,
  type Run,
} from './webhook-contest.js';

const FLOOR = 'bare node:http + HMAC + INSERT';
const RIVAL = '@supabase/stripe-sync-engine';
/** The rival learns of subscriptions before a run; more than it needs would take long. */
const RIVAL_BEGINNINGS_SECONDS = 600;

/** Lives whose streams the service wrote itself, and one event each of subscriptions that another instance wrote. */
const CONTESTS: readonly Contest[] = [
  { label: 'ingest', order: 'lives', tag: 'w' },
  { label: 'ingest, cold', order: 'renewals', tag: 'k' },
];

/** Signed webhooks per second that are durable when they are answered: ours, the floor and the rival, in turn. */
export async function benchIngest(context: BenchContext): Promise<WorkReport> {
  const floorUrl = await context.database.create('floor');
  const rivalUrl = await context.database.create('rival');
  const env = { BENCH_SECRET: context.secret };
  const started: BenchServer[] = [];
  try {
    const floor = await startRival('bare-insert', { ...env, BENCH_DATABASE_URL: floorUrl });
    started.push(floor);
    const rival = await startRival('sync-engine', { ...env, BENCH_DATABASE_URL: rivalUrl });
    started.push(rival);
    const reports: WorkReport[] = [];
    for (const contest of CONTESTS) {
      const lags: number[] = [];
      const report = await compareReceivers(context, contest, ours(context, contest.order, lags), [
        floorOf(floor, floorUrl),
        rivalOf(context, contest.order, rival, rivalUrl),
      ]);
      reports.push({ ...report, notes: [...report.notes, lagNote(contest.label, lags)] });
    }
    return { rows: reports.flatMap(({ rows }) => rows), notes: reports.flatMap(({ notes }) => notes) };
  } finally {
    for (const server of started) await server.stop();
  }
}

function ours(context: BenchContext, order: WebhookOrder, lags: number[]): Contender {
  const { service: server, serviceDatabaseUrl: databaseUrl } = context;
  const begin = async ({ tag, count }: Run): Promise<Inspection> => {
    if (order === 'renewals') await recordBeginnings(databaseUrl, tag, count);
    await catchUp(context);
    const before = await countInLog(databaseUrl, tag);
    return {
      settle: async () => {
        lags.push(await catchUp(context));
      },
      verify: async (_, done) => {
        const { events, stripeEvents } = await countInLog(databaseUrl, tag);
        expectEqual(`events in the log for ${tag}`, events, before.events + done);
        expectEqual(
          `different Stripe events in the log for ${tag}`,
          stripeEvents,
          before.stripeEvents + done,
        );
      },
    };
  };
  return { name: 'tenure', server, databaseUrl, begin };
}

function floorOf(server: BenchServer, databaseUrl: string): Opponent {
  const begin = async (): Promise<Inspection> => ({
    settle: async () => undefined,
    verify: async (tag, done) => {
      const stored = await countRows(databaseUrl, 'bare_event', `evt_${tag}`);
      expectEqual(`rows of the bare INSERT for ${tag}`, stored, done);
    },
  });
  return { name: FLOOR, server, databaseUrl, begin, least: 0.8, aim: 1.5 };
}

/** It keeps the newest state of each object, not the events. */
function rivalOf(
  context: BenchContext,
  order: WebhookOrder,
  server: BenchServer,
  databaseUrl: string,
): Opponent {
  const begin = async ({ tag, count }: Run): Promise<Inspection> => {
    if (order === 'renewals') {
      await context.generator.run({
        kind: 'webhooks',
        port: server.port,
        connections: 16,
        seconds: RIVAL_BEGINNINGS_SECONDS,
        tag,
        count,
        order: 'beginnings',
        secret: context.secret,
      });
    }
    return {
      settle: async () => undefined,
      verify: async (_, done) => {
        const made = contentsOf(done, order);
        const expected = order === 'renewals' ? { ...made, subscriptions: count } : made;
        const subscriptions = await countRows(databaseUrl, 'stripe.subscriptions', `sub_${tag}`);
        const invoices = await countRows(databaseUrl, 'stripe.invoices', `in_${tag}`);
        expectEqual(`subscriptions of the sync engine for ${tag}`, subscriptions, expected.subscriptions);
        expectEqual(`invoices of the sync engine for ${tag}`, invoices, expected.invoices);
      },
    };
  };
  return { name: RIVAL, server, databaseUrl, begin, least: 3, aim: 6 };
}

async function countRows(databaseUrl: string, table: string, idPrefix: string): Promise<number> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ count: number }>(`select count(*)::int as count from ${table} where starts_with(id, $1)`, [
      idPrefix,
    ]),
  );
  return rows[0]?.count ?? 0;
}
