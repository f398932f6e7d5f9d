import type { LogResult } from '../log/protocol.js';
import { median, type Note, throughputRow, type WorkReport } from '../report.js';
import type { BenchContext } from '../support/bench-context.js';

/** One way to do the same to the log. `run` measures it once, `round` counting from 0. */
export interface LogContender {
  readonly name: string;
  run(round: number): Promise<LogResult>;
}

/** Another way to measure beside, and the ratio to reach. */
export interface LogOpponent extends LogContender {
  readonly least: number;
}

/** Events per second of `ours` beside each opponent: all in turn, and the median of the rounds counts. */
export async function compareLogs(
  context: BenchContext,
  work: string,
  ours: LogContender,
  opponents: readonly LogOpponent[],
): Promise<WorkReport> {
  const contenders = [ours, ...opponents];
  const results = new Map<string, LogResult[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < context.effort.rounds; round += 1) {
    for (const { name, run } of contenders) {
      const result = await run(round);
      results.get(name)?.push(result);
      context.say(
        `  ${work}, round ${round + 1}: ${name} ${perSecond(result).toFixed(0)}/s, ` +
          `p99 ${result.latency.p99.toFixed(1)} ms`,
      );
    }
  }
  const rate = (name: string): number => median((results.get(name) ?? []).map(perSecond));
  return {
    rows: opponents.map(({ name, least }) =>
      throughputRow({ work, ours: rate(ours.name), against: name, theirs: rate(name), least, aim: null }),
    ),
    notes: [...results].map(([name, all]): Note => ({ what: `${work}: ${name}`, value: describe(all) })),
  };
}

function perSecond({ done, seconds }: LogResult): number {
  return done / seconds;
}

function describe(results: readonly LogResult[]): string {
  const middle = (pick: (result: LogResult) => number, digits: number): string =>
    median(results.map(pick)).toFixed(digits);
  return (
    `p50 ${middle((r) => r.latency.p50, 2)} ms, p99 ${middle((r) => r.latency.p99, 2)} ms; ` +
    `rounds ${results.map((r) => perSecond(r).toFixed(0)).join(', ')}/s; ` +
    `its process ${middle((r) => r.cpu, 2)} of a core, ${middle(cpuPerEvent, 0)} µs an event`
  );
}

/** Microseconds of processor time in the driver's process. */
function cpuPerEvent({ cpu, seconds, done }: LogResult): number {
  return (cpu * seconds * 1e6) / done;
}
