import type { StripeOutcome } from '../../observability/metrics.js';

/** An answer that is none. */
export interface NoAnswer {
  readonly outcome: Exclude<StripeOutcome, 'answered'>;
  /** HTTP status, and Stripe's id of the request: `null` where there was no answer. Never the message: it may quote. */
  readonly status: number | null;
  readonly requestId: string | null;
  /** Milliseconds after which asking again makes sense. */
  readonly againInMs: number;
}

/** An object as Stripe's API shows it. `answeredAt` is the second (Unix) of the `Date` header of the answer that brought it. */
export interface ObjectAnswer {
  readonly outcome: 'answered';
  readonly object: Readonly<Record<string, unknown>>;
  readonly answeredAt: number;
  readonly apiVersion: string | null;
}

export type StripeAnswer = ObjectAnswer | NoAnswer;

/** What is to be made or changed at Stripe. */
export interface StripeWrite {
  readonly method: 'POST' | 'DELETE';
  /** Path of the API, such as `/v1/subscriptions/sub_1`. */
  readonly path: string;
  /** Parameters as Stripe names them, nested as objects and lists; a DELETE has none. */
  readonly params?: Readonly<Record<string, unknown>>;
  /**
   * Stripe does what has this key once and gives its first answer again for a day, refusals included (Stripe: "Idempotent
   * requests"): so it says what is meant, and what it begins from.
   */
  readonly idempotencyKey: string;
}

/** Stripe did not do it for what was asked, or for the state it is in: its code and the parameter, where it names them. */
export interface Refusal {
  readonly outcome: 'refused';
  readonly status: number;
  readonly requestId: string | null;
  readonly code: string | null;
  readonly param: string | null;
}

/** A page of a list as Stripe's API shows it, in Stripe's order. */
export interface PageAnswer {
  readonly outcome: 'answered';
  readonly objects: readonly ListedObject[];
  readonly hasMore: boolean;
  readonly answeredAt: number;
  readonly apiVersion: string | null;
}

/** What stands in a list has an id to go on after. */
export type ListedObject = Readonly<Record<string, unknown>> & { readonly id: string };
