import type { StripeAnswerOrigin } from '../../commands/aggregate.js';
import type { ClaimReading } from '../../events/user-id.js';
import { NamedError } from '../../observability/named-error.js';
import type { StripeObjectRef } from '../gateway/object-kind.js';
import type { ObjectAnswer } from '../gateway/stripe-answers.js';
import {
  type IgnoredAnswer,
  type RetrievedTranslation,
  translateRetrieved,
} from '../translate/retrieved.translation.js';

/** An answer dated further ahead of our clock (ms) would outrank all that Stripe says until then. As for signatures. */
const MAX_AHEAD_MS = 300_000;

/** Stripe's answer is dated ahead of us: one of the clocks is wrong, and nothing is recorded by it. */
export class AnswerAheadError extends NamedError {
  readonly code = 'answer_ahead';
  constructor() {
    super('the Date of an answer of Stripe lies ahead of our clock');
  }
}

/** An object that cannot be recorded. `why` names what is wrong, and quotes no data. */
export interface UnusableObject extends StripeObjectRef {
  readonly why: string;
}

/** How answers are read. */
export interface AnswerReading {
  readonly claims: ClaimReading;
  readonly livemode: boolean;
}

/** What an answer is recorded as; or nothing, or why it cannot be, for the log: it quotes no data. */
export type ReadAnswer =
  | (Extract<RetrievedTranslation, { outcome: 'recorded' }> & {
      readonly causation: string;
      readonly stripe: StripeAnswerOrigin;
    })
  | { readonly outcome: 'ignored'; readonly reason: IgnoredAnswer }
  | { readonly outcome: 'unusable'; readonly why: string };

/** The key by which an answer counts once (DESIGN 5.4). `why` is the Stripe event, or the job, that it was asked for. */
export function retrievalKey(object: string, why: string): string {
  return `retrieved/${object}/${why}`;
}

/** Reads what Stripe's API answered about an object that was asked for because of `why`. */
export function readAnswer(
  asked: StripeObjectRef,
  why: string,
  { object, answeredAt, apiVersion }: ObjectAnswer,
  { claims, livemode }: AnswerReading,
): ReadAnswer {
  if (isAhead(answeredAt)) {
    return { outcome: 'unusable', why: 'the Date of the answer lies ahead' };
  }
  const read = translateRetrieved(asked, object, { answeredAt, livemode, claims });
  if (read.outcome === 'ignored') return read;
  if (read.outcome === 'malformed') return { outcome: 'unusable', why: read.problems.join('; ') };
  const stripe = { eventId: null, eventType: null, created: answeredAt, apiVersion, livemode };
  return { ...read, causation: retrievalKey(asked.id, why), stripe };
}

/** Whether an answer is dated (Unix second) so far ahead that nothing is recorded by it. */
export function isAhead(answeredAt: number): boolean {
  return answeredAt * 1_000 > Date.now() + MAX_AHEAD_MS;
}
