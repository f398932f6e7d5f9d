import { z } from 'zod';

/** What the load of the whole is told. Rates are per second, by the clock. */
export const wholeJobSchema = z.strictObject({
  ports: z.tuple([z.number(), z.number()]),
  /** Users of the load, each with one stream, on one instance and the other by turns. */
  streams: z.number().int().positive(),
  /** Webhooks; those of one user are `streams / rate` seconds apart. */
  rate: z.number(),
  /** Reads of users who were there before. */
  reads: z.number(),
  readers: z.number().int().positive(),
  tag: z.string(),
  secret: z.string(),
  adminKey: z.string(),
});
export type WholeJob = z.infer<typeof wholeJobSchema>;

/** Told to the load: send, and no more. */
export const GO = 'go';
export const STOP = 'stop';

/** What is seen of a webhook. Times are Unix milliseconds with fractions; `null`: not looked for. */
const paymentSchema = z.strictObject({
  user: z.number(),
  /** The version of the user that it makes. */
  version: z.number(),
  due: z.number(),
  answered: z.number(),
  /** The first read that showed it. */
  visible: z.number().nullable(),
  /** Which of the two instances was asked, which was sent the webhook. */
  readAt: z.number(),
  sentTo: z.number(),
});
export type Payment = z.infer<typeof paymentSchema>;

/** A version that was told to whoever listens, in the order in which they came. */
const arrivalSchema = z.strictObject({ user: z.number(), version: z.number(), at: z.number() });
export type Arrival = z.infer<typeof arrivalSchema>;

export const wholeLoadSchema = z.strictObject({
  payments: z.array(paymentSchema),
  pushed: z.array(arrivalSchema),
  /** Reads of users who were there before: when each was due, and how long it took, in ms. */
  reads: z.array(z.strictObject({ due: z.number(), took: z.number() })),
  /** Reads that asked whether a payment shows. */
  looks: z.number(),
  /** Requests that were sent again, as they were answered 503 or their connection was closed. */
  again: z.number(),
  /** How late the event loop of the load itself was, p99 in ms. */
  ownDelay: z.number(),
});
export type WholeLoad = z.infer<typeof wholeLoadSchema>;

export const loadReplySchema = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ done: wholeLoadSchema }),
  z.strictObject({ error: z.string() }),
]);
export type LoadReply = z.infer<typeof loadReplySchema>;

/** What the receiver of outgoing webhooks is asked. */
export const receiverQuestionSchema = z.union([
  z.strictObject({ secret: z.string(), tag: z.string() }),
  z.strictObject({ ask: z.enum(['count', 'all']) }),
]);
export type ReceiverQuestion = z.infer<typeof receiverQuestionSchema>;

export const receiverReplySchema = z.union([
  z.strictObject({ port: z.number() }),
  z.strictObject({
    /** Messages that came for the first time, that came again, and that were signed by nobody we know. */
    taken: z.number(),
    repeated: z.number(),
    refused: z.number(),
    sent: z.array(arrivalSchema),
  }),
]);
export type ReceiverReply = z.infer<typeof receiverReplySchema>;
export type Received = Extract<ReceiverReply, { taken: number }>;

/** Now, in Unix milliseconds with fractions: processes of one machine compare it. */
export function instant(): number {
  return performance.timeOrigin + performance.now();
}
