import { setTimeout as pause } from 'node:timers/promises';
import Stripe from 'stripe';
import type { z } from 'zod';
import type { StripeOutcome } from '../../observability/metrics.js';
import {
  answerSchema,
  checkoutSchema,
  invoiceSchema,
  type List,
  listSchema,
  objectSchema,
  pageSchema,
  subscriptionSchema,
} from './answer-schemas.js';
import type { ObjectKind, StripeObjectRef } from './object-kind.js';
import type { RequestBudget } from './request-pace.js';
import { fetchUntil, hostOf, isTimeout, secondOf } from './stripe-transport.js';

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
  /** Such as `/v1/subscriptions/sub_1`. */
  readonly path: string;
  /** As Stripe names them, nested as objects and lists; a DELETE has none. */
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

export interface StripeGatewayOptions {
  readonly secretKey: string;
  /** Scheme, host and port of the API, `null` for Stripe's own. */
  readonly apiBase: string | null;
  /** Milliseconds one request may take, its body included. */
  readonly timeoutMs?: number;
  /** What may be asked in a second. */
  readonly budget: Pick<RequestBudget, 'take'>;
  /** Hears how each request ended. */
  readonly onRequest: (outcome: StripeOutcome) => void;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Stripe: "Pagination", the most a page takes. */
const A_PAGE = 100;
const MAX_PAGES = 10;
/** Where each kind of object is asked for. */
const PATHS: Readonly<Record<ObjectKind, string>> = {
  subscription: 'subscriptions',
  invoice: 'invoices',
  customer: 'customers',
  checkout: 'checkout/sessions',
  invoice_payment: 'invoice_payments',
  charge: 'charges',
  dispute: 'disputes',
};
/** Milliseconds after which a request that went wrong is worth another try. */
const AGAIN_IN_MS = 5_000;
/** Times that something is written by one key before its reply is given up. */
const WRITE_TRIES = 2;
/** Milliseconds that a request waits for its turn where nobody says otherwise. */
const PATIENCE_MS = 60_000;

/** No request went out: the second holds no more, nor do those that may be waited for. */
class HeldBackError extends Error {
  override readonly name = 'HeldBackError';
  constructor(readonly waitMs: number) {
    super('as much is asked of Stripe as may be');
  }
}

/**
 * Asks Stripe's API, through Stripe's own SDK. Nothing is asked twice, but for lost replies of what is written by a key:
 * whoever asks decides what to do without an answer. Its methods never reject.
 */
export class StripeGateway {
  readonly #stripe: Stripe;
  readonly #closing = new AbortController();

  constructor(private readonly options: StripeGatewayOptions) {
    const { secretKey, apiBase, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#stripe = new Stripe(secretKey, {
      ...(apiBase === null ? {} : hostOf(new URL(apiBase))),
      timeout: timeoutMs,
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient: Stripe.createFetchHttpClient(fetchUntil(this.#closing.signal)),
    });
  }

  /** An object as it is now, its list of items or lines whole. `patienceMs`: how long a request may wait for its turn. */
  object({ kind, id }: StripeObjectRef, patienceMs = PATIENCE_MS): Promise<StripeAnswer> {
    const path = `/v1/${PATHS[kind]}/${encodeURIComponent(id)}`;
    return this.#answer(async () => {
      switch (kind) {
        case 'subscription': {
          const answer = await this.#get(path, subscriptionSchema, patienceMs);
          const pages = new URLSearchParams({ subscription: id });
          const items = await this.#whole(answer.object.items, '/v1/subscription_items', pages, patienceMs);
          return { ...answer, object: { ...answer.object, items } };
        }
        case 'invoice': {
          const answer = await this.#get(path, invoiceSchema, patienceMs);
          const pages = new URLSearchParams();
          const lines = await this.#whole(answer.object.lines, `${path}/lines`, pages, patienceMs);
          return { ...answer, object: { ...answer.object, lines } };
        }
        case 'checkout': {
          const answer = await this.#get(`${path}?expand[]=line_items`, checkoutSchema, patienceMs);
          const { line_items: first } = answer.object;
          if (first === undefined) return answer;
          const pages = new URLSearchParams();
          const lineItems = await this.#whole(first, `${path}/line_items`, pages, patienceMs);
          return { ...answer, object: { ...answer.object, line_items: lineItems } };
        }
        default:
          return this.#get(path, objectSchema, patienceMs);
      }
    });
  }

  /** The account that the key is of (Stripe: "Retrieve account"); a restricted key may be refused. */
  account(patienceMs = PATIENCE_MS): Promise<StripeAnswer> {
    return this.#answer(() => this.#get('/v1/account', objectSchema, patienceMs));
  }

  /** An event as it was delivered to those who take snapshots (Stripe: "Retrieve an event"; kept for 30 days). */
  event(id: string, patienceMs = PATIENCE_MS): Promise<StripeAnswer> {
    return this.#answer(() => this.#get(`/v1/events/${encodeURIComponent(id)}`, objectSchema, patienceMs));
  }

  /**
   * What is at a path, as it is now.
   * @param path such as `/v1/prices/price_1`
   * @param query such as `{ 'expand[]': 'tiers' }`
   */
  at(
    path: string,
    query: Readonly<Record<string, string>> = {},
    patienceMs = PATIENCE_MS,
  ): Promise<StripeAnswer> {
    const asked = new URLSearchParams(query);
    return this.#answer(() =>
      this.#get(asked.size === 0 ? path : `${path}?${asked}`, objectSchema, patienceMs),
    );
  }

  /**
   * A page of a list (Stripe: "Pagination").
   * @param path such as `/v1/prices`
   * @param query such as `{ active: 'true', starting_after: 'price_1' }`; a page is as long as Stripe allows
   */
  page(
    path: string,
    query: Readonly<Record<string, string>>,
    patienceMs = PATIENCE_MS,
  ): Promise<PageAnswer | NoAnswer> {
    return this.#answer(async () => {
      const asked = new URLSearchParams({ limit: String(A_PAGE), ...query });
      const { object, ...answer } = await this.#get(`${path}?${asked}`, pageSchema, patienceMs);
      return { ...answer, objects: object.data, hasMore: object.has_more };
    });
  }

  /**
   * Makes or changes something, in its turn. A reply that is lost is asked for again by the same key, so that whoever gets
   * none may repeat it too.
   */
  async write(write: StripeWrite, patienceMs = PATIENCE_MS): Promise<ObjectAnswer | Refusal | NoAnswer> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#send(write, patienceMs);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal !== null) return refusal;
        const noAnswer = await this.#answer<never>(() => Promise.reject(error));
        const isLost = noAnswer.outcome === 'timed_out' || noAnswer.outcome === 'failed';
        if (!isLost || tries === WRITE_TRIES) return noAnswer;
      }
    }
  }

  /** Ends what is under way; it is answered `aborted`. */
  close(): void {
    this.#closing.abort();
  }

  async #answer<Answer>(asking: () => Promise<Answer>): Promise<Answer | NoAnswer> {
    try {
      return await asking();
    } catch (error) {
      const isStripes = error instanceof Stripe.errors.StripeError;
      return {
        outcome: this.#outcomeOf(error),
        status: isStripes ? (error.statusCode ?? null) : null,
        requestId: isStripes ? (error.requestId ?? null) : null,
        againInMs: error instanceof HeldBackError ? error.waitMs : AGAIN_IN_MS,
      };
    }
  }

  /** An object holds the first of a list only; the others are listed apart. */
  async #whole(first: List, path: string, query: URLSearchParams, patienceMs: number): Promise<List> {
    const data = [...first.data];
    let isCut = first.has_more;
    for (let page = 0; isCut && page < MAX_PAGES; page += 1) {
      query.set('limit', String(A_PAGE));
      const last = data.at(-1);
      if (last !== undefined) query.set('starting_after', last.id);
      const { object } = await this.#get(`${path}?${query}`, listSchema, patienceMs);
      data.push(...object.data);
      isCut = object.has_more;
    }
    return { ...first, data, has_more: isCut };
  }

  async #send(
    { method, path, params = {}, idempotencyKey }: StripeWrite,
    patienceMs: number,
  ): Promise<ObjectAnswer> {
    return this.#asked(path, objectSchema, patienceMs, () =>
      this.#stripe.rawRequest(method, path, method === 'POST' ? params : undefined, { idempotencyKey }),
    );
  }

  #get<Body extends Readonly<Record<string, unknown>>>(
    path: string,
    schema: z.ZodType<Body>,
    patienceMs: number,
  ): Promise<ObjectAnswer & { readonly object: Body }> {
    return this.#asked(path, schema, patienceMs, () => this.#stripe.rawRequest('GET', path));
  }

  /** One request, in its turn. The body as it came: the SDK's own methods make objects of the `*_decimal` strings. */
  async #asked<Body extends Readonly<Record<string, unknown>>>(
    path: string,
    schema: z.ZodType<Body>,
    patienceMs: number,
    request: () => Promise<unknown>,
  ): Promise<ObjectAnswer & { readonly object: Body }> {
    const { onRequest } = this.options;
    try {
      await this.#turn(path, patienceMs);
      const found = await request();
      const { headers } = answerSchema.parse(found).lastResponse;
      const answered = {
        outcome: 'answered',
        object: schema.parse(found),
        answeredAt: secondOf(headers.get('date')),
        apiVersion: headers.get('stripe-version'),
      } as const;
      onRequest('answered');
      return answered;
    } catch (error) {
      onRequest(this.#outcomeOf(error));
      throw error;
    }
  }

  /** @throws HeldBackError, and what an aborted wait throws */
  async #turn(path: string, patienceMs: number): Promise<void> {
    const { taken, waitMs } = this.options.budget.take(endpointOf(path), patienceMs);
    if (!taken) throw new HeldBackError(waitMs);
    if (waitMs > 0) await pause(waitMs, undefined, { signal: this.#closing.signal });
  }

  #outcomeOf(error: unknown): Exclude<StripeOutcome, 'answered'> {
    if (this.#closing.signal.aborted) return 'aborted';
    if (error instanceof HeldBackError) return 'held_back';
    if (error instanceof Stripe.errors.StripeRateLimitError) return 'rate_limited';
    if (error instanceof Stripe.errors.StripeConnectionError && isTimeout(error.detail)) return 'timed_out';
    if (error instanceof Stripe.errors.StripeError && error.statusCode === 404) return 'not_found';
    return 'failed';
  }
}

/** What Stripe refused for good, told by its status; `null` of what may pass, or whose outcome is not known. */
function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Stripe.errors.StripeError)) return null;
  const { statusCode: status, requestId = null, code = null, param = null } = error;
  if (status === undefined || status < 400 || status >= 500) return null;
  // What is asked too often, a key in use and a bad key of ours say nothing of the request (Stripe: "Errors").
  if ([401, 403, 409, 429].includes(status)) return null;
  return { outcome: 'refused', status, requestId, code, param };
}

/** The endpoint that Stripe counts a request to: `/v1/subscriptions/sub_1` is one to `subscriptions`. */
function endpointOf(path: string): string {
  return path.split(/[/?]/)[2] ?? path;
}
