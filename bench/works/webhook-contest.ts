import type { Result } from '../load/protocol.js';
import type { WebhookOrder } from '../load/subscription-lives.js';
import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import type { BenchServer } from '../support/rival-process.js';
import { microsecondsEach, type ProcessorTime, processorTime } from '../support/thread-time.js';

const CONNECTIONS = [16, 64];
/** Webhooks that are made, as a multiple of what the fastest run so far would use. */
const ROOM = 1.5;

/** A receiver of webhooks to measure. */
export interface Contender {
  readonly name: string;
  readonly server: BenchServer;
  readonly databaseUrl: string;
  /** Called before each run, to make what it is about; what it returns looks at the run afterwards. */
  begin(run: Run): Promise<Inspection>;
}

/** At most `count` webhooks of lives that no other run has. */
export interface Run {
  readonly tag: string;
  readonly count: number;
}

export interface Inspection {
  /** Leaves no work of a run behind for the next one to pay. */
  settle(): Promise<void>;
  /** Throws unless the first `count` webhooks of a run are stored, once each. */
  verify(tag: string, count: number): Promise<void>;
}

/** Another receiver to measure beside, and the ratio to reach. */
export interface Opponent extends Contender {
  readonly least: number;
  readonly aim: number | null;
}

/** What is sent, and what the rows are called. */
export interface Contest {
  readonly label: string;
  readonly order: WebhookOrder;
  /** Begins the tags of its runs: no other contest of the same servers has it. */
  readonly tag: string;
}

interface Measured extends Result {
  /** Microseconds of processor time for a webhook. */
  readonly processor: ProcessorTime;
}

/** Signed webhooks per second of `ours` beside each opponent: all in turn, and the median of the rounds counts. */
export async function compareReceivers(
  context: BenchContext,
  contest: Contest,
  ours: Contender,
  opponents: readonly Opponent[],
): Promise<WorkReport> {
  const rows: WorkReport['rows'][number][] = [];
  const notes: WorkReport['notes'][number][] = [];
  const { label } = contest;
  const contenders = [ours, ...opponents];
  const speeds = new Map<string, number>();
  for (const contender of contenders) {
    const result = await measure(context, contest, contender, {
      tag: `${contest.tag}warm`,
      connections: 16,
      seconds: context.effort.warmUpSeconds,
      count: Math.ceil((contest.order === 'lives' ? 3_000 : 1_000) * context.effort.warmUpSeconds),
    });
    speeds.set(contender.name, result.done / result.seconds);
  }
  for (const connections of CONNECTIONS) {
    const results = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]));
    for (let round = 0; round < context.effort.rounds; round += 1) {
      for (const contender of contenders) {
        const seconds = context.effort.ingestSeconds;
        const speed = speeds.get(contender.name) ?? 1_000;
        const result = await measure(context, contest, contender, {
          tag: `${contest.tag}c${connections}r${round}x`,
          connections,
          seconds,
          count: Math.ceil(speed * seconds * ROOM) + 1_000,
        });
        speeds.set(contender.name, Math.max(speed, result.done / result.seconds));
        results.get(contender.name)?.push(result);
        context.say(
          `  ${label} ${connections} connections, round ${round + 1}: ${contender.name} ` +
            `${Math.round(result.done / result.seconds)}/s, p99 ${result.latency.p99.toFixed(1)} ms`,
        );
      }
    }
    const rate = (name: string): number =>
      median((results.get(name) ?? []).map((result) => result.done / result.seconds));
    const work = `${label}, ${connections} connections`;
    for (const { name, least, aim } of opponents) {
      rows.push(
        throughputRow({ work, ours: rate(ours.name), against: name, theirs: rate(name), least, aim }),
      );
    }
    for (const [name, all] of results) {
      const middle = (pick: (result: Measured) => number): string => median(all.map(pick)).toFixed(2);
      const micros = (part: keyof ProcessorTime): number =>
        Math.round(median(all.map(({ processor }) => processor[part])));
      notes.push({
        what: `${work}: ${name}`,
        value:
          `p50 ${middle((r) => r.latency.p50)} ms, p99 ${middle((r) => r.latency.p99)} ms; ` +
          `rounds ${all.map((r) => Math.round(r.done / r.seconds)).join(', ')}/s; ` +
          `generator ${middle((r) => r.generatorCpu)} of a core; processor time a webhook: ` +
          `serving thread ${micros('serving')}, other threads ${micros('others')}, PostgreSQL ${micros('database')} µs`,
      });
    }
  }
  return { rows, notes };
}

async function measure(
  context: BenchContext,
  { order }: Contest,
  { server, databaseUrl, begin }: Contender,
  run: Run & { readonly connections: number; readonly seconds: number },
): Promise<Measured> {
  const inspection = await begin(run);
  await context.database.settle();
  const before = await processorTime(server, databaseUrl);
  const result = await context.generator.run({
    kind: 'webhooks',
    port: server.port,
    order,
    secret: context.secret,
    ...run,
  });
  await inspection.settle();
  const after = await processorTime(server, databaseUrl);
  await inspection.verify(run.tag, result.done);
  return { ...result, processor: microsecondsEach(before, after, result.done) };
}

/** What tells how long read models took after each run. */
export function lagNote(label: string, lags: readonly number[]): WorkReport['notes'][number] {
  return {
    what: `${label}: read models level again after a round`,
    value: `${Math.round(median(lags))} ms (median), ${Math.round(Math.max(...lags))} ms (most)`,
  };
}
