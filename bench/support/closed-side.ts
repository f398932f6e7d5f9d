import type { Result } from '../load/protocol.js';
import { median } from '../report.js';
import { processorSeconds } from './processor-time.js';
import type { BenchServer } from './rival-process.js';

/** A run, and the processor time that the server took for each request, in microseconds; `null` where the system does not tell. */
export interface Measured extends Result {
  readonly microseconds: number | null;
}

/** What a server did in a run, with its processor time: a machine that is busy with others makes requests late, and no dearer. */
export async function measuredOn(server: BenchServer, run: () => Promise<Result>): Promise<Measured> {
  const before = await processorSeconds(server.pid);
  const result = await run();
  const after = await processorSeconds(server.pid);
  const spent = before === null || after === null ? null : after - before;
  return { ...result, microseconds: spent === null ? null : (spent * 1e6) / result.done };
}

/** Requests that a run did in a second. */
export function perSecond(result: Result): number {
  return result.done / result.seconds;
}

/** The rates of runs, for people. */
export function rates(results: readonly Result[]): string {
  return results.map((result) => Math.round(perSecond(result))).join(', ');
}

/** What is noted of a side's runs. */
export function describeRuns(results: readonly (Result & Partial<Measured>)[]): string {
  const middle = (pick: (result: Result) => number): string => median(results.map(pick)).toFixed(2);
  const processor = results.flatMap(({ microseconds }) => microseconds ?? []);
  return (
    `p50 ${middle((r) => r.latency.p50)} ms, p99 ${middle((r) => r.latency.p99)} ms; rounds ${rates(results)}/s; ` +
    `${processor.length === 0 ? '' : `${median(processor).toFixed(1)} µs of processor time each; `}` +
    `generator ${middle((r) => r.generatorCpu)} of a core`
  );
}
