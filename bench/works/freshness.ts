import type { Latency, Result } from '../load/protocol.js';
import { limitRow, median, type Row, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import { catchUp } from '../support/catch-up.js';
import { expectEqual } from '../support/expect-equal.js';
import { startRival } from '../support/rival-process.js';
import { countInLog, withClient } from '../support/service-log.js';

const WEBHOOKS_PER_SECOND = 300;
const CONNECTIONS = 32;
const FLOOR = 'bare node:http + INSERT + NOTIFY + SELECT';
/** How often as long as the floor's p99 ours may be. */
const TIMES_THE_FLOOR = 3;
/** What p99 may be where the floor's is below `FAST_FLOOR_MS`. Milliseconds. */
const P99_LIMIT_MS = 50;
const FAST_FLOOR_MS = 15;

/** A receiver to measure: where it listens, and what to wait for and to look at after a run. */
interface Side {
  readonly name: string;
  readonly port: number;
  /** Throws unless all that was acknowledged of a run is stored. */
  verify(tag: string, acknowledged: number): Promise<void>;
}

/**
 * How long after its commit a purchase shows in `GET entitlements`, while 300 webhooks come in every second: by turns in the
 * service and in the least that commits, notifies and looks on the same PostgreSQL.
 */
export async function benchFreshness(context: BenchContext): Promise<WorkReport> {
  const { database, effort, secret, adminKey } = context;
  const floorUrl = await database.create('freshness_floor');
  const floor = await startRival('bare-visible', {
    BENCH_SECRET: secret,
    BENCH_DATABASE_URL: floorUrl,
    BENCH_KEY: adminKey,
  });
  const ours: Side = {
    name: 'tenure',
    port: context.service.port,
    verify: async (tag, acknowledged) => {
      const { events } = await countInLog(context.serviceDatabaseUrl, tag);
      expectEqual('events in the log', events, acknowledged);
      await catchUp(context);
    },
  };
  const theirs: Side = {
    name: FLOOR,
    port: floor.port,
    verify: async (tag, acknowledged) =>
      expectEqual('rows of the floor', await countRows(floorUrl, tag), acknowledged),
  };
  try {
    const sides = [ours, theirs] as const;
    for (const side of sides) await run(context, side, 'freshwarm', effort.warmUpSeconds);
    const results = new Map<Side, Result[]>(sides.map((side) => [side, []]));
    for (let round = 0; round < effort.rounds; round += 1) {
      for (const side of sides) {
        const result = await run(context, side, `fresh${round}x`, effort.freshnessSeconds);
        results.get(side)?.push(result);
        context.say(
          `  freshness, round ${round + 1}: ${side.name} p99 ${sinceAnswer(result).p99.toFixed(1)} ms`,
        );
      }
    }
    return reportOf(results.get(ours) ?? [], results.get(theirs) ?? []);
  } finally {
    await floor.stop();
  }
}

async function run(context: BenchContext, side: Side, tag: string, seconds: number): Promise<Result> {
  await context.database.settle();
  const result = await context.generator.run({
    kind: 'freshness',
    port: side.port,
    rate: WEBHOOKS_PER_SECOND,
    seconds,
    connections: CONNECTIONS,
    tag,
    secret: context.secret,
    adminKey: context.adminKey,
  });
  await side.verify(tag, result.done);
  return result;
}

async function countRows(databaseUrl: string, tag: string): Promise<number> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ count: number }>(
      'select count(*)::int as count from bare_purchase where starts_with(id, $1)',
      [`evt_${tag}`],
    ),
  );
  return rows[0]?.count ?? 0;
}

function reportOf(ours: readonly Result[], floor: readonly Result[]): WorkReport {
  const p99 = (results: readonly Result[]): number =>
    median(results.map((result) => sinceAnswer(result).p99));
  const work = `committed → visible in GET, p99 at ${WEBHOOKS_PER_SECOND}/s`;
  const besideFloor: Row = {
    ...limitRow({ work, ours: p99(ours), against: FLOOR, theirs: p99(floor) }),
    least: 1 / TIMES_THE_FLOOR,
  };
  const isFast = p99(floor) < FAST_FLOOR_MS;
  const besideLimit = limitRow({ work, ours: p99(ours), against: 'the limit', theirs: P99_LIMIT_MS });
  return {
    rows: isFast ? [besideFloor, besideLimit] : [besideFloor],
    notes: [
      { what: 'freshness: since the answer (commit)', value: told(ours, sinceAnswer) },
      { what: 'freshness: the same of the floor', value: told(floor, sinceAnswer) },
      { what: 'freshness: since the webhook was due', value: told(ours, sinceDue) },
      { what: 'freshness: the same of the floor, since it was due', value: told(floor, sinceDue) },
      { what: 'freshness: answer to a webhook', value: told(ours, ({ latency }) => latency) },
      {
        what: 'freshness: load of a round',
        value: `${ours[0]?.done} webhooks in ${ours[0]?.seconds.toFixed(1)} s, ${visible(ours[0]).samples} watched; generator ${ours.map(({ generatorCpu }) => generatorCpu.toFixed(2)).join(', ')} of a core, of the floor ${floor.map(({ generatorCpu }) => generatorCpu.toFixed(2)).join(', ')}`,
      },
    ],
  };
}

function visible(result: Result | undefined): NonNullable<Result['visible']> {
  if (result?.visible === undefined || result.visible === null) {
    throw new Error('the load generator watched nothing');
  }
  return result.visible;
}

function sinceAnswer(result: Result): Latency {
  return visible(result).sinceAnswer;
}

function sinceDue(result: Result): Latency {
  return visible(result).sinceDue;
}

/** Rounds, one after the other. */
function told(results: readonly Result[], pick: (result: Result) => Latency): string {
  const list = (figure: (latency: Latency) => number): string =>
    results.map((result) => figure(pick(result)).toFixed(1)).join(', ');
  return `p50 ${list(({ p50 }) => p50)} ms, p99 ${list(({ p99 }) => p99)} ms, most ${list(({ max }) => max)} ms`;
}
