import Stripe from 'stripe';
import { z } from 'zod';
import type { StripeOutcome } from '../../observability/metrics.js';

/**
 * What Stripe's API said of a subscription. `subscription` is the object as it came, its list of items whole.
 * `answeredAt` is the second (Unix) of the `Date` header of the answer that brought it.
 */
export type SubscriptionAnswer =
  | {
      readonly outcome: 'answered';
      readonly subscription: Readonly<Record<string, unknown>>;
      readonly answeredAt: number;
      readonly apiVersion: string | null;
    }
  | {
      readonly outcome: Exclude<StripeOutcome, 'answered'>;
      /** HTTP status, and Stripe's id of the request: `null` where there was no answer. Never the message: it may quote. */
      readonly status: number | null;
      readonly requestId: string | null;
    };

export interface StripeGatewayOptions {
  readonly secretKey: string;
  /** Scheme, host and port of the API, `null` for Stripe's own. */
  readonly apiBase: string | null;
  /** Milliseconds one request may take, its body included. */
  readonly timeoutMs?: number;
  /** Hears how each request ended. */
  readonly onRequest: (outcome: StripeOutcome) => void;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Stripe: "List all subscription items", the most a page takes. */
const ITEMS_A_PAGE = 100;
const MAX_PAGES = 10;

/** An answer that is none: without a usable `Date`, or JSON that is no object. */
class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

/** Only what is asked for by name here; `readSubscription` reads the rest by shape. */
const itemListSchema = z.looseObject({
  data: z.array(z.looseObject({ id: z.string() })),
  has_more: z.boolean(),
});
type ItemList = z.infer<typeof itemListSchema>;
const subscriptionSchema = z.looseObject({ items: itemListSchema });
/** What the SDK puts beside a body when it comes through `fetch`. */
const answerSchema = z.object({ lastResponse: z.object({ headers: z.instanceof(Headers) }) });

interface Answered<Body> {
  readonly body: Body;
  readonly answeredAt: number;
  readonly apiVersion: string | null;
}

/** Asks Stripe's API, through Stripe's own SDK. It is asked once: whoever asks decides what to do without an answer. */
export class StripeGateway {
  readonly #stripe: Stripe;
  readonly #closing = new AbortController();
  readonly #onRequest: StripeGatewayOptions['onRequest'];

  constructor({ secretKey, apiBase, timeoutMs = DEFAULT_TIMEOUT_MS, onRequest }: StripeGatewayOptions) {
    this.#onRequest = onRequest;
    this.#stripe = new Stripe(secretKey, {
      ...(apiBase === null ? {} : hostOf(new URL(apiBase))),
      timeout: timeoutMs,
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient: Stripe.createFetchHttpClient(fetchUntil(this.#closing.signal)),
    });
  }

  /** A subscription as it is now. Never rejects. */
  async subscription(id: string): Promise<SubscriptionAnswer> {
    try {
      const path = `/v1/subscriptions/${encodeURIComponent(id)}`;
      const { body, answeredAt, apiVersion } = await this.#get(path, subscriptionSchema);
      const items = await this.#wholeItems(id, body.items);
      return { outcome: 'answered', subscription: { ...body, items }, answeredAt, apiVersion };
    } catch (error) {
      const status = error instanceof Stripe.errors.StripeError ? (error.statusCode ?? null) : null;
      const requestId = error instanceof Stripe.errors.StripeError ? (error.requestId ?? null) : null;
      return { outcome: this.#outcomeOf(error), status, requestId };
    }
  }

  /** Ends what is under way; it is answered `aborted`. */
  close(): void {
    this.#closing.abort();
  }

  /** The object holds its first items only; the others are listed apart. */
  async #wholeItems(subscription: string, first: ItemList): Promise<ItemList> {
    const data = [...first.data];
    let isCut = first.has_more;
    for (let page = 0; isCut && page < MAX_PAGES; page += 1) {
      const query = new URLSearchParams({ subscription, limit: String(ITEMS_A_PAGE) });
      const last = data.at(-1);
      if (last !== undefined) query.set('starting_after', last.id);
      const { body } = await this.#get(`/v1/subscription_items?${query}`, itemListSchema);
      data.push(...body.data);
      isCut = body.has_more;
    }
    return { ...first, data, has_more: isCut };
  }

  /** One request. As it came: the SDK's own methods make objects of the `*_decimal` strings. */
  async #get<Body>(path: string, schema: z.ZodType<Body>): Promise<Answered<Body>> {
    try {
      const found: unknown = await this.#stripe.rawRequest('GET', path);
      const { headers } = answerSchema.parse(found).lastResponse;
      const answered = {
        body: schema.parse(found),
        answeredAt: secondOf(headers.get('date')),
        apiVersion: headers.get('stripe-version'),
      };
      this.#onRequest('answered');
      return answered;
    } catch (error) {
      this.#onRequest(this.#outcomeOf(error));
      throw error;
    }
  }

  #outcomeOf(error: unknown): Exclude<StripeOutcome, 'answered'> {
    if (this.#closing.signal.aborted) return 'aborted';
    if (error instanceof Stripe.errors.StripeRateLimitError) return 'rate_limited';
    if (error instanceof Stripe.errors.StripeConnectionError && isTimeout(error.detail)) return 'timed_out';
    if (error instanceof Stripe.errors.StripeError && error.statusCode === 404) return 'not_found';
    return 'failed';
  }
}

/** The SDK takes host, port and scheme apart. */
function hostOf({ protocol, hostname, port }: URL): Stripe.StripeConfig {
  const scheme = protocol === 'http:' ? 'http' : 'https';
  return {
    protocol: scheme,
    host: hostname,
    port: port === '' ? (scheme === 'http' ? 80 : 443) : Number(port),
  };
}

/**
 * A `fetch` that ends with `closing`, goes after no redirect (the key goes nowhere else), and reads the body itself: at
 * JSON that is no object the SDK would neither answer nor reject, and end the process by an unhandled rejection.
 */
function fetchUntil(closing: AbortSignal): typeof fetch {
  return async (input, init) => {
    const signals = init?.signal == null ? [closing] : [init.signal, closing];
    const response = await fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
    const text = await response.text();
    if (/^\s*(?:["\d[-]|null|true|false)/.test(text)) throw new UnreadableAnswerError('no object came');
    return new Response(text, { status: response.status, headers: response.headers });
  };
}

/** Unix seconds of an HTTP date (RFC 9110, 5.6.7). */
function secondOf(date: string | null): number {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) throw new UnreadableAnswerError('the answer has no Date');
  return Math.floor(at / 1_000);
}

function isTimeout(detail: unknown): boolean {
  return typeof detail === 'object' && detail !== null && 'code' in detail && detail.code === 'ETIMEDOUT';
}
