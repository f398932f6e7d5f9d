import {
  checkoutSchema,
  invoiceSchema,
  type List,
  listSchema,
  objectSchema,
  pageSchema,
  subscriptionSchema,
} from './answer-schemas.js';
import type { ObjectKind, StripeObjectRef } from './object-kind.js';
import type {
  NoAnswer,
  ObjectAnswer,
  PageAnswer,
  Refusal,
  StripeAnswer,
  StripeWrite,
} from './stripe-answers.js';
import { refusalOf, StripeRequests, type StripeRequestsOptions } from './stripe-requests.js';

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
  early_fraud_warning: 'radar/early_fraud_warnings',
};
/** Times that something is written by one key before its reply is given up. */
const WRITE_TRIES = 2;
/** Milliseconds that a request waits for its turn where nobody says otherwise. */
const PATIENCE_MS = 60_000;

/**
 * Asks Stripe's API. Nothing is asked twice, but for lost replies of what is written by a key: whoever asks decides what to
 * do without an answer. Its methods never reject.
 */
export class StripeGateway {
  readonly #requests: StripeRequests;

  constructor(options: StripeRequestsOptions) {
    this.#requests = new StripeRequests(options);
  }

  /** An object as it is now, its list of items or lines whole. `patienceMs`: how long a request may wait for its turn. */
  object({ kind, id }: StripeObjectRef, patienceMs = PATIENCE_MS): Promise<StripeAnswer> {
    const path = `/v1/${PATHS[kind]}/${encodeURIComponent(id)}`;
    return this.#answer(async () => {
      switch (kind) {
        case 'subscription': {
          const answer = await this.#requests.get(path, subscriptionSchema, patienceMs);
          const pages = new URLSearchParams({ subscription: id });
          const items = await this.#whole(answer.object.items, '/v1/subscription_items', pages, patienceMs);
          return { ...answer, object: { ...answer.object, items } };
        }
        case 'invoice': {
          const answer = await this.#requests.get(path, invoiceSchema, patienceMs);
          const pages = new URLSearchParams();
          const lines = await this.#whole(answer.object.lines, `${path}/lines`, pages, patienceMs);
          return { ...answer, object: { ...answer.object, lines } };
        }
        case 'checkout': {
          const answer = await this.#requests.get(`${path}?expand[]=line_items`, checkoutSchema, patienceMs);
          const { line_items: first } = answer.object;
          if (first === undefined) return answer;
          const pages = new URLSearchParams();
          const lineItems = await this.#whole(first, `${path}/line_items`, pages, patienceMs);
          return { ...answer, object: { ...answer.object, line_items: lineItems } };
        }
        default:
          return this.#requests.get(path, objectSchema, patienceMs);
      }
    });
  }

  /** The account that the key is of (Stripe: "Retrieve account"); a restricted key may be refused. */
  account(patienceMs = PATIENCE_MS): Promise<StripeAnswer> {
    return this.#answer(() => this.#requests.get('/v1/account', objectSchema, patienceMs));
  }

  /** An event as it was delivered to those who take snapshots (Stripe: "Retrieve an event"; kept for 30 days). */
  event(id: string, patienceMs = PATIENCE_MS): Promise<StripeAnswer> {
    return this.#answer(() =>
      this.#requests.get(`/v1/events/${encodeURIComponent(id)}`, objectSchema, patienceMs),
    );
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
      this.#requests.get(asked.size === 0 ? path : `${path}?${asked}`, objectSchema, patienceMs),
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
      const { object, ...answer } = await this.#requests.get(`${path}?${asked}`, pageSchema, patienceMs);
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
        return await this.#requests.send(write, patienceMs);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal !== null) return refusal;
        const noAnswer = this.#requests.noAnswerOf(error);
        const isLost = noAnswer.outcome === 'timed_out' || noAnswer.outcome === 'failed';
        if (!isLost || tries === WRITE_TRIES) return noAnswer;
      }
    }
  }

  /** Ends what is under way; it is answered `aborted`. */
  close(): void {
    this.#requests.close();
  }

  async #answer<Answer>(asking: () => Promise<Answer>): Promise<Answer | NoAnswer> {
    try {
      return await asking();
    } catch (error) {
      return this.#requests.noAnswerOf(error);
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
      const { object } = await this.#requests.get(`${path}?${query}`, listSchema, patienceMs);
      data.push(...object.data);
      isCut = object.has_more;
    }
    return { ...first, data, has_more: isCut };
  }
}
