import type { Result } from '../load/protocol.js';
import { contentsOf } from '../load/subscription-lives.js';
import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { type BenchServer, startRival } from '../support/rival-process.js';
import { countInLog, withClient } from '../support/service-log.js';

const CONNECTIONS = [16, 64];
const FLOOR = 'bare node:http + HMAC + INSERT';
const RIVAL = '@supabase/stripe-sync-engine';

/** One of the three receivers. `verify` throws unless the first `count` webhooks of a run are stored, once each. */
interface Contender {
  readonly name: string;
  readonly server: BenchServer;
  verify(tag: string, count: number): Promise<void>;
  /** Leaves no work of a run behind for the next one to pay. */
  settle(): Promise<void>;
}

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
    return await compare(
      context,
      [
        {
          name: 'tenure',
          server: context.service,
          verify: (tag, count) => verifyOurs(context.serviceDatabaseUrl, tag, count),
          settle: async () => {
            lags.push(await catchUp(context));
          },
        },
        {
          name: FLOOR,
          server: floor,
          verify: (tag, count) => verifyFloor(floorUrl, tag, count),
          settle: async () => undefined,
        },
        {
          name: RIVAL,
          server: rival,
          verify: (tag, count) => verifyRival(rivalUrl, tag, count),
          settle: async () => undefined,
        },
      ],
      lags,
    );
  } finally {
    for (const server of started) await server.stop();
  }
}

async function compare(
  context: BenchContext,
  contenders: readonly Contender[],
  lags: readonly number[],
): Promise<WorkReport> {
  const rows: WorkReport['rows'][number][] = [];
  const notes: WorkReport['notes'][number][] = [];
  const speeds = new Map<string, number>();
  for (const contender of contenders) {
    const result = await measure(context, contender, {
      tag: `warm`,
      connections: 16,
      seconds: context.effort.warmUpSeconds,
      count: Math.ceil(3_000 * context.effort.warmUpSeconds),
    });
    speeds.set(contender.name, result.done / result.seconds);
  }
  for (const connections of CONNECTIONS) {
    const results = new Map<string, Result[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round < context.effort.rounds; round += 1) {
      for (const contender of contenders) {
        const seconds = context.effort.ingestSeconds;
        const speed = speeds.get(contender.name) ?? 1_000;
        const result = await measure(context, contender, {
          tag: `c${connections}r${round}x`,
          connections,
          seconds,
          count: Math.ceil(speed * seconds * 2.5) + 1_000,
        });
        speeds.set(contender.name, Math.max(speed, result.done / result.seconds));
        results.get(contender.name)?.push(result);
        context.say(
          `  ingest ${connections} connections, round ${round + 1}: ${contender.name} ` +
            `${Math.round(result.done / result.seconds)}/s, p99 ${result.latency.p99.toFixed(1)} ms`,
        );
      }
    }
    const rate = (name: string): number =>
      median((results.get(name) ?? []).map((result) => result.done / result.seconds));
    const work = `ingest, ${connections} connections`;
    const ours = rate('tenure');
    rows.push(
      throughputRow({ work, ours, against: FLOOR, theirs: rate(FLOOR), least: 0.8, aim: 1.5 }),
      throughputRow({ work, ours, against: RIVAL, theirs: rate(RIVAL), least: 3, aim: 6 }),
    );
    for (const [name, all] of results) {
      const middle = (pick: (result: Result) => number): string => median(all.map(pick)).toFixed(2);
      notes.push({
        what: `${work}: ${name}`,
        value:
          `p50 ${middle((r) => r.latency.p50)} ms, p99 ${middle((r) => r.latency.p99)} ms; ` +
          `rounds ${all.map((r) => Math.round(r.done / r.seconds)).join(', ')}/s; ` +
          `generator ${middle((r) => r.generatorCpu)} of a core`,
      });
    }
  }
  notes.push({
    what: 'ingest: read models level again after a round',
    value: `${Math.round(median(lags))} ms (median), ${Math.round(Math.max(...lags))} ms (most)`,
  });
  return { rows, notes };
}

async function measure(
  context: BenchContext,
  contender: Contender,
  run: { tag: string; connections: number; seconds: number; count: number },
): Promise<Result> {
  await context.database.settle();
  const result = await context.generator.run({
    kind: 'webhooks',
    port: contender.server.port,
    secret: context.secret,
    ...run,
  });
  await contender.settle();
  await contender.verify(run.tag, result.done);
  return result;
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

function expectEqual(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found}, but ${expected} were acknowledged`);
}
