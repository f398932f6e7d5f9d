import { z } from 'zod';
import { latencySchema } from '../load/protocol.js';

/** What a log driver can be told to do. Durations are in seconds. */
const appendSchema = z.strictObject({
  kind: z.literal('append'),
  /** What the names of the new streams begin with; a number follows. */
  streams: z.string(),
  inFlight: z.number().int().min(1),
  seconds: z.number(),
});

const readSchema = z.strictObject({
  kind: z.literal('read'),
  /** Each walk begins after the record at this position. */
  after: z.string(),
  streams: z.string(),
  /** How many events such a walk must find, and so many at a time are read. */
  events: z.number().int(),
  page: z.number().int().min(1),
  /** Walks begin for this long; there is always one. */
  seconds: z.number(),
});

export const logJobSchema = z.discriminatedUnion('kind', [appendSchema, readSchema]);
export type LogJob = z.infer<typeof logJobSchema>;
export type AppendJob = z.infer<typeof appendSchema>;
export type ReadJob = z.infer<typeof readSchema>;

const logResultSchema = z.strictObject({
  /** Events acknowledged, or read. */
  done: z.number(),
  seconds: z.number(),
  /** Of one append, or of one walk to the end of the log, in ms. */
  latency: latencySchema,
  /** Share of one core that the driver used: its client, and a loop around it. */
  cpu: z.number(),
});
export type LogResult = z.infer<typeof logResultSchema>;

export const logReplySchema = z.union([
  z.strictObject({ result: logResultSchema }),
  z.strictObject({ error: z.string() }),
]);
export type LogReply = z.infer<typeof logReplySchema>;
