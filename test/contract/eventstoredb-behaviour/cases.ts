import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { World } from './world.js';

/** One measured case: what was there, what was done in words, and what the real server and client did. */
const recordedCase = z.object({ id: z.string(), given: z.string(), do: z.string(), result: z.unknown() });

export type RecordedCase = z.infer<typeof recordedCase>;

const FIXTURE = new URL('../../fixtures/eventstoredb/behaviour-23.10.6.json', import.meta.url);

/** All measured cases, in the order they were measured. */
export const RECORDED: readonly RecordedCase[] = z
  .array(recordedCase)
  .parse(JSON.parse(readFileSync(FIXTURE, 'utf8')));

/** How one family of cases is done again; `replay` compares what happens with what was recorded. */
export interface CaseFamily {
  readonly ids: RegExp;
  readonly replay: (recorded: RecordedCase, world: World) => Promise<void>;
}

/** Why a case is not replayed. */
export const NOT_REPLAYED: readonly { readonly ids: RegExp; readonly why: string }[] = [
  { ids: /^perf-/, why: 'figures of one machine, not behaviour' },
  { ids: /^http-/, why: 'the test server speaks gRPC only' },
  { ids: /^kurrent-/, why: 'another client' },
  {
    ids: /^(api-methods|cross-client-|crash-cross-client-|crash-dispose-own|undrained-read-|checkpoint-callback-throws)/,
    why: 'the client alone',
  },
  { ids: /^path-requiresLeader$/, why: 'recorded calls of other cases are mixed in' },
  {
    ids: /^size-(batch|unary)-boundary$/,
    why: 'one short of what size-…-1048576 shows: the search stopped early',
  },
  {
    ids: /^(pipelined-chain-unary|ordering-unary-pipelined)$/,
    why: 'the unary path promises no order, so the outcome is chance',
  },
  { ids: /^(live-rate-|live-transition-)/, why: 'rates in another process: depends on the machine' },
  {
    ids: /^(caughtup-vs-consumer-|caughtup-slow-consumer)/,
    why: 'client buffering against a timed consumer',
  },
  { ids: /^deadline-(1|50)-/, why: 'races a clock of 1 or 50 ms' },
  {
    ids: /^crash-frozen-(default|ka-10s|ka-off)/,
    why: 'take 20 to 75 s; the 2 s keep-alive cases show the same',
  },
  {
    ids: /^(crash-(load|sub)-.*SIGTERM|idle-over-restart-.*SIGTERM|subscription-retry-loop)$/,
    why: 'the orderly 5 s shutdown is not built',
  },
  { ids: /^outage-25s-/, why: 'outages of 25 s; crash-inflight shows the errors and the return' },
  { ids: /^http2-/, why: 'counts what does not answer within seconds' },
];
