import { z } from 'zod';

/** What the load generator can be told to do. Durations are in seconds, times in milliseconds. */
const webhooksSchema = z.strictObject({
  kind: z.literal('webhooks'),
  port: z.number(),
  connections: z.number(),
  /** At most this long; the run ends sooner when the prepared webhooks are used up. */
  seconds: z.number(),
  tag: z.string(),
  count: z.number(),
  order: z.enum(['lives', 'beginnings', 'renewals']),
  secret: z.string(),
});

const readsSchema = z.strictObject({
  kind: z.literal('reads'),
  port: z.number(),
  connections: z.number(),
  seconds: z.number(),
  paths: z.array(z.string()).min(1),
  headers: z.record(z.string(), z.string()),
  /** `If-None-Match` of each path; empty: none is sent. */
  etags: z.array(z.string()),
  /** JSON that is posted to each path; left out: each is asked for by GET. */
  bodies: z.array(z.string()).optional(),
  expectedStatus: z.number(),
});

const freshnessSchema = z.strictObject({
  kind: z.literal('freshness'),
  port: z.number(),
  /** Webhooks per second, sent by the clock whether or not earlier ones were answered. */
  rate: z.number(),
  seconds: z.number(),
  connections: z.number(),
  tag: z.string(),
  secret: z.string(),
  adminKey: z.string(),
});

/** Ends when the generator is told to stop. */
const pacedReadsSchema = z.strictObject({
  kind: z.literal('pacedReads'),
  port: z.number(),
  /** Reads per second, sent by the clock whether or not earlier ones were answered. */
  rate: z.number(),
  connections: z.number(),
  paths: z.array(z.string()).min(1),
  headers: z.record(z.string(), z.string()),
});

export const jobSchema = z.discriminatedUnion('kind', [
  webhooksSchema,
  readsSchema,
  freshnessSchema,
  pacedReadsSchema,
]);
export type Job = z.infer<typeof jobSchema>;
export type WebhooksJob = z.infer<typeof webhooksSchema>;
export type ReadsJob = z.infer<typeof readsSchema>;
export type FreshnessJob = z.infer<typeof freshnessSchema>;
export type PacedReadsJob = z.infer<typeof pacedReadsSchema>;

/** Sent while a job runs that has no end of its own. */
export const STOP = 'stop';

export const latencySchema = z.strictObject({ p50: z.number(), p99: z.number(), max: z.number() });
export type Latency = z.infer<typeof latencySchema>;

const resultSchema = z.strictObject({
  /** Requests answered as expected. */
  done: z.number(),
  /** From the first request to the last answer. */
  seconds: z.number(),
  /** Of one request, in ms. */
  latency: latencySchema,
  /** Answers of another status than expected, by status. */
  unexpected: z.record(z.string(), z.number()),
  /** Share of one core that the generator itself used. */
  generatorCpu: z.number(),
  /** Freshness only: from the webhook's answer, and from when it was due to be sent, until `GET` showed it; in ms. */
  visible: z
    .strictObject({ samples: z.number(), sinceAnswer: latencySchema, sinceDue: latencySchema })
    .nullable(),
});
export type Result = z.infer<typeof resultSchema>;

export const replySchema = z.union([
  z.strictObject({ result: resultSchema }),
  z.strictObject({ error: z.string() }),
]);
export type GeneratorReply = z.infer<typeof replySchema>;

/** Percentiles of unsorted milliseconds; zeros when there are none. */
export function latencyOf(milliseconds: number[]): Latency {
  const sorted = Float64Array.from(milliseconds).sort();
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}
