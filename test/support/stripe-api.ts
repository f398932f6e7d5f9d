import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';

/** A question that came in, and how many others about the same path were under way then. */
export interface AskedOfStripe {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly underWay: number;
}

/** How to answer instead of rightly. `held` questions are answered rightly once released. */
export type Misbehaviour =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string; readonly headers?: object }
  | { readonly kind: 'held'; readonly until: Promise<void> }
  | { readonly kind: 'stalls_in_body' }
  | { readonly kind: 'hangs_up' };

/** What an object holds of a list by itself, before the rest must be listed (Stripe: "Subscription items"). */
const INSIDE = 10;
/** Names of resources in paths, and what their objects list. */
const LISTS: Readonly<Record<string, string | null>> = {
  subscriptions: 'items',
  invoices: 'lines',
  customers: null,
  events: null,
  'checkout/sessions': null,
  invoice_payments: null,
  charges: null,
  disputes: null,
  'radar/early_fraud_warnings': null,
};
/** What is listed as a whole, by its path: its type, and what each object lists. */
const LISTED: Readonly<Record<string, readonly [type: string, list: string | null]>> = {
  '/v1/subscriptions': ['subscription', 'items'],
  '/v1/checkout/sessions': ['checkout.session', 'line_items'],
  '/v1/disputes': ['dispute', null],
  '/v1/refunds': ['refund', null],
  '/v1/radar/early_fraud_warnings': ['radar.early_fraud_warning', null],
  '/v1/invoice_payments': ['invoice_payment', null],
};

/**
 * A small Stripe API on a port of its own, over real HTTP: objects by their ids, lists of items and lines in pages, errors as
 * Stripe words them. Without being told otherwise it answers rightly and at once.
 */
export class StripeApi {
  readonly asked: AskedOfStripe[] = [];
  readonly #objects = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #misbehaving = new Map<string, Misbehaviour[]>();
  readonly #underWay = new Map<string, number>();
  /** The account that its key is of. */
  account = 'acct_of_the_tests';
  /** Seconds by which its clock is ahead of ours. */
  clockAhead = 0;

  private constructor(
    readonly key: string,
    private readonly server: ReturnType<typeof createServer>,
  ) {
    server.on('request', (request, response) => void this.#receive(request, response));
  }

  static async start(key = 'sk_test_of_the_tests'): Promise<StripeApi> {
    const server = createServer();
    const api = new StripeApi(key, server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Settings under which a service asks here. */
  get environment(): Readonly<Record<string, string>> {
    return { STRIPE_SECRET_KEY: this.key, STRIPE_API_BASE: this.url };
  }

  /** Makes an object known; `object` as Stripe would show it, with all its items or lines. */
  has(object: object): void {
    const shown = object as Readonly<Record<string, unknown>>;
    this.#objects.set(String(shown.id), shown);
  }

  /** The next questions about an object, or what it lists, go wrong like this, one each. */
  misbehaves(id: string, ...how: readonly Misbehaviour[]): void {
    this.#misbehaving.set(id, [...(this.#misbehaving.get(id) ?? []), ...how]);
  }

  /** Questions about one subscription (not its items). */
  askedFor(subscription: string): readonly AskedOfStripe[] {
    return this.asked.filter(({ path }) => path === `/v1/subscriptions/${subscription}`);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const underWay = this.#underWay.get(pathname) ?? 0;
    this.#underWay.set(pathname, underWay + 1);
    response.on('close', () => this.#underWay.set(pathname, (this.#underWay.get(pathname) ?? 1) - 1));
    const { method = '', headers } = request;
    this.asked.push({ method, path: pathname, query: searchParams, headers, underWay });
    response.setHeader('date', new Date(Date.now() + this.clockAhead * 1_000).toUTCString());
    response.setHeader('request-id', `req_${this.asked.length}`);
    response.setHeader('stripe-version', Stripe.API_VERSION);
    const named = searchParams.get('subscription') ?? searchParams.get('payment[payment_intent]');
    const id = named ?? askedIn(pathname)?.id ?? '';
    const how = this.#misbehaving.get(id)?.shift();
    switch (how?.kind) {
      case 'hangs_up':
        request.socket.destroy();
        return;
      case 'stalls_in_body':
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write(`{"id":"${id}",`);
        return;
      case 'answer':
        response.writeHead(how.status, { 'content-type': 'application/json', ...how.headers });
        response.end(how.body);
        return;
      case 'held':
        await how.until;
    }
    const { status, body } = this.#answer(request, pathname, searchParams);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  #answer(request: IncomingMessage, path: string, query: URLSearchParams): { status: number; body: object } {
    if (request.headers.authorization !== `Bearer ${this.key}`)
      return fault(401, 'invalid_request_error', '');
    const asked = askedIn(path);
    if (path === '/v1/account') return { status: 200, body: { id: this.account, object: 'account' } };
    const listed = LISTED[path];
    if (listed !== undefined) return this.#listed(...listed, query);
    const shown = this.#objects.get(query.get('subscription') ?? asked?.id ?? '');
    if (asked === null || request.method !== 'GET' || shown === undefined) {
      return fault(404, 'invalid_request_error', 'resource_missing');
    }
    const list = LISTS[asked.resource] ?? null;
    if (path.endsWith('/lines') || path === '/v1/subscription_items') {
      const all = entriesOf(shown, path.endsWith('/lines') ? 'lines' : 'items');
      const start = all.findIndex((entry) => entry.id === query.get('starting_after')) + 1;
      const data = all.slice(start, start + Number(query.get('limit') ?? 10));
      return { status: 200, body: { object: 'list', data, has_more: start + data.length < all.length } };
    }
    return { status: 200, body: list === null ? shown : withInside(shown, list) };
  }

  /** The list of what is of a type, the last made known first, its own list cut, with what is asked to be expanded. */
  #listed(type: string, list: string | null, query: URLSearchParams): { status: number; body: object } {
    const asked = query.get('status') ?? 'all';
    const intent = query.get('payment[payment_intent]');
    const all = [...this.#objects.values()]
      .filter(({ object, status }) => object === type && (asked === 'all' || asked === status))
      .filter(({ payment }) => intent === null || intentIn(payment) === intent)
      .reverse();
    const start = all.findIndex(({ id }) => id === query.get('starting_after')) + 1;
    const page = all.slice(start, start + Number(query.get('limit') ?? 10));
    const expanded = [...query].filter(([key]) => key.startsWith('expand[')).map(([, value]) => value);
    const data = page.map((each) => {
      const shown: Record<string, unknown> = list === null ? { ...each } : withInside(each, list);
      for (const name of expanded.map((value) => value.replace('data.', ''))) {
        const object = this.#objects.get(String(shown[name]));
        if (object !== undefined)
          shown[name] = name === 'latest_invoice' ? withInside(object, 'lines') : object;
      }
      return shown;
    });
    return { status: 200, body: { object: 'list', data, has_more: start + page.length < all.length } };
  }
}

/** An object with the beginning of its list, as long as Stripe shows it inside. */
function withInside(shown: Readonly<Record<string, unknown>>, list: string): Record<string, unknown> {
  const all = entriesOf(shown, list);
  const data = all.slice(0, INSIDE);
  const inside = { object: 'list', data, has_more: all.length > INSIDE, total_count: all.length };
  return { ...shown, [list]: inside };
}

function intentIn(payment: unknown): string | null {
  return (payment as { payment_intent?: string } | undefined)?.payment_intent ?? null;
}

/** Of which resource which object a path is about. */
function askedIn(path: string): { readonly resource: string; readonly id: string } | null {
  const found = /^\/v1\/(checkout\/sessions|radar\/\w+|\w+)(?:\/(\w+))?(?:\/lines)?$/.exec(path);
  return found === null ? null : { resource: found[1] ?? '', id: found[2] ?? '' };
}

function entriesOf(shown: Readonly<Record<string, unknown>>, list: string): readonly { id: string }[] {
  return (shown[list] as { data: { id: string }[] }).data;
}

function fault(status: number, type: string, code: string): { status: number; body: object } {
  return { status, body: { error: { type, code, message: 'the simulator says no' } } };
}
