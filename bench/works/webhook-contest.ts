import type { Result } from '../load/protocol.js';
import { median, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';
import type { BenchServer } from '../support/rival-process.js';

const CONNECTIONS = [16, 64];

/** A receiver of webhooks to measure. */
export interface Contender {
  readonly name: string;
  readonly server: BenchServer;
  /** Called before each run; what it returns looks at the run afterwards. */
  begin(): Promise<Inspection>;
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

/** Signed webhooks per second of `ours` beside each opponent: all in turn, and the median of the rounds counts. */
export async function compareReceivers(
  context: BenchContext,
  label: string,
  ours: Contender,
  opponents: readonly Opponent[],
): Promise<WorkReport> {
  const rows: WorkReport['rows'][number][] = [];
  const notes: WorkReport['notes'][number][] = [];
  const contenders = [ours, ...opponents];
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
  return { rows, notes };
}

async function measure(
  context: BenchContext,
  contender: Contender,
  run: { tag: string; connections: number; seconds: number; count: number },
): Promise<Result> {
  await context.database.settle();
  const inspection = await contender.begin();
  const result = await context.generator.run({
    kind: 'webhooks',
    port: contender.server.port,
    secret: context.secret,
    ...run,
  });
  await inspection.settle();
  await inspection.verify(run.tag, result.done);
  return result;
}

/** What tells how long read models took after each run. */
export function lagNote(label: string, lags: readonly number[]): WorkReport['notes'][number] {
  return {
    what: `${label}: read models level again after a round`,
    value: `${Math.round(median(lags))} ms (median), ${Math.round(Math.max(...lags))} ms (most)`,
  };
}
