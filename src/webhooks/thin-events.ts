import { ProblemError } from '../http/problem.js';
import type { Metrics } from '../observability/metrics.js';
import type { StripeGateway } from '../stripe/gateway/stripe.gateway.js';
import type { NoAnswer } from '../stripe/gateway/stripe-answers.js';
import { type AnswerReading, type ReadAnswer, readAnswer } from '../stripe/reconciliation/answers.js';
import type { JsonObject } from '../stripe/translate/read-json.js';
import type { IgnoredAnswer } from '../stripe/translate/retrieved.translation.js';
import type { ThinEvent } from '../stripe/translate/thin-event.js';

export interface ThinEventsOptions extends AnswerReading {
  /** `null`: there is no key, and nothing can be fetched. */
  readonly gateway: Pick<StripeGateway, 'event' | 'object'> | null;
  readonly metrics: Pick<Metrics, 'thinEvent'>;
  /** Hears of what is worth a look: why something was not fetched, or that it is gone. */
  readonly onTrouble: (what: ThinTrouble) => void;
}

/** `why` is for the log and quotes no data. */
export interface ThinTrouble {
  readonly type: string;
  readonly event: string;
  readonly why: string;
}

type ToFetch = Extract<ThinEvent, { outcome: 'to_fetch' }>;

/**
 * What a thin event stands for: the v1 event, to be taken as if it had been delivered; the object itself; or nothing that
 * there is, or that is recorded.
 */
export type Fetched =
  | { readonly of: 'event'; readonly body: JsonObject }
  | { readonly of: 'object'; readonly read: Extract<ReadAnswer, { outcome: 'recorded' }> }
  | { readonly of: 'nothing'; readonly reason: 'gone' | 'not_retrievable' | IgnoredAnswer };

/** Deliveries whose fetching is under way or waits for its turn; Stripe has further ones come again. */
const MAX_IN_HAND = 200;
/** Milliseconds that a delivery waits for its turn: together with the request less than Stripe waits for a reply. */
const PATIENCE_MS = 4_000;
/** Seconds after which a key may have been set. */
const WITHOUT_KEY_RETRY_SECONDS = 60;

/**
 * Fetches what thin events stand for (DESIGN 5.7). A delivery waits for it, because it is answered 200 only once that is
 * stored; what cannot be fetched now is 503, and Stripe delivers again.
 */
export class ThinEvents {
  #withoutKey = 0;
  #inHand = 0;

  constructor(private readonly options: ThinEventsOptions) {}

  /** Thin events since the start that would be fetched, if there were a key. */
  get withoutKey(): number {
    return this.#withoutKey;
  }

  /** @throws ProblemError `thin_events_need_api_key`, `stripe_unavailable`: nothing was fetched, it may be delivered again */
  async fetch(thin: ToFetch): Promise<Fetched> {
    const { gateway, metrics } = this.options;
    if (gateway === null) {
      this.#withoutKey += 1;
      metrics.thinEvent('without_key');
      throw new ProblemError(
        'thin_events_need_api_key',
        'What a thin event stands for is fetched from Stripe: set STRIPE_SECRET_KEY, or have snapshot events sent.',
        { 'retry-after': String(WITHOUT_KEY_RETRY_SECONDS) },
      );
    }
    if (this.#inHand >= MAX_IN_HAND) {
      throw this.#unavailable(thin, {
        outcome: 'held_back',
        status: null,
        requestId: null,
        againInMs: PATIENCE_MS,
      });
    }
    this.#inHand += 1;
    try {
      const fetched = await this.#fetch(gateway, thin);
      metrics.thinEvent(fetched.of === 'nothing' ? fetched.reason : fetched.of);
      if (fetched.of === 'nothing') this.#trouble(thin, fetched.reason);
      return fetched;
    } finally {
      this.#inHand -= 1;
    }
  }

  async #fetch(gateway: Pick<StripeGateway, 'event' | 'object'>, thin: ToFetch): Promise<Fetched> {
    const { snapshot, about, eventId } = thin;
    if (snapshot !== null) {
      const answer = await gateway.event(snapshot, PATIENCE_MS);
      if (answer.outcome === 'answered') {
        if (answer.object.id !== snapshot) throw this.#unusable(thin, 'another event came');
        return { of: 'event', body: answer.object };
      }
      if (answer.outcome !== 'not_found') throw this.#unavailable(thin, answer);
    }
    if (about === null) return { of: 'nothing', reason: 'not_retrievable' };
    const answer = await gateway.object(about, PATIENCE_MS);
    if (answer.outcome === 'not_found') return { of: 'nothing', reason: 'gone' };
    if (answer.outcome !== 'answered') throw this.#unavailable(thin, answer);
    const read = readAnswer(about, eventId, answer, this.options);
    if (read.outcome === 'unusable') throw this.#unusable(thin, read.why);
    return read.outcome === 'ignored' ? { of: 'nothing', reason: read.reason } : { of: 'object', read };
  }

  #unavailable(thin: ToFetch, { outcome, status, requestId, againInMs }: NoAnswer): ProblemError {
    const why = outcome === 'held_back' ? outcome : `${outcome}, status ${status}, request ${requestId}`;
    return this.#problem(thin, why, outcome === 'held_back' ? 'held_back' : 'unanswered', againInMs);
  }

  #unusable(thin: ToFetch, why: string): ProblemError {
    return this.#problem(thin, why, 'unanswered', 60_000);
  }

  #problem(thin: ToFetch, why: string, outcome: 'held_back' | 'unanswered', againInMs: number): ProblemError {
    this.options.metrics.thinEvent(outcome);
    this.#trouble(thin, why);
    return new ProblemError(
      'stripe_unavailable',
      'What the event stands for could not be fetched from Stripe now. Nothing was acknowledged.',
      { 'retry-after': String(Math.max(1, Math.ceil(againInMs / 1_000))) },
    );
  }

  #trouble({ type, eventId: event }: ToFetch, why: string): void {
    this.options.onTrouble({ type, event, why });
  }
}
