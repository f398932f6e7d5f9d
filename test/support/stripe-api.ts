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

/** The items that a subscription holds by itself, before the rest must be listed (Stripe: "Subscription items"). */
const ITEMS_INSIDE = 10;

/**
 * A small Stripe API on a port of its own, over real HTTP: subscriptions, their items in pages, errors as Stripe words
 * them. Without being told otherwise it answers rightly and at once.
 */
export class StripeApi {
  readonly asked: AskedOfStripe[] = [];
  readonly #subscriptions = new Map<string, Readonly<Record<string, unknown>>>();
  readonly #misbehaving = new Map<string, Misbehaviour[]>();
  readonly #underWay = new Map<string, number>();
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

  /** Makes a subscription known; `object` as Stripe would show it, with all its items. */
  has(object: object): void {
    const subscription = object as Readonly<Record<string, unknown>>;
    this.#subscriptions.set(String(subscription.id), subscription);
  }

  /** The next questions about a subscription or its items go wrong like this, one each. */
  misbehaves(subscription: string, ...how: readonly Misbehaviour[]): void {
    this.#misbehaving.set(subscription, [...(this.#misbehaving.get(subscription) ?? []), ...how]);
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
    const id = searchParams.get('subscription') ?? pathname.split('/')[3] ?? '';
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
    const [, version, resource, id = ''] = path.split('/');
    const subscription = this.#subscriptions.get(query.get('subscription') ?? id);
    if (version !== 'v1' || request.method !== 'GET' || subscription === undefined) {
      return fault(404, 'invalid_request_error', 'resource_missing');
    }
    const all = itemsOf(subscription);
    if (resource === 'subscriptions') {
      const inside = {
        object: 'list',
        data: all.slice(0, ITEMS_INSIDE),
        has_more: all.length > ITEMS_INSIDE,
        total_count: all.length,
      };
      return { status: 200, body: { ...subscription, items: inside } };
    }
    const start = all.findIndex((item) => item.id === query.get('starting_after')) + 1;
    const data = all.slice(start, start + Number(query.get('limit') ?? 10));
    return { status: 200, body: { object: 'list', data, has_more: start + data.length < all.length } };
  }
}

function itemsOf(subscription: Readonly<Record<string, unknown>>): readonly { id: string }[] {
  return (subscription.items as { data: { id: string }[] }).data;
}

function fault(status: number, type: string, code: string): { status: number; body: object } {
  return { status, body: { error: { type, code, message: 'the simulator says no' } } };
}
