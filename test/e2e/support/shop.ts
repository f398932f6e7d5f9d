import Stripe from 'stripe';
import { Simulator } from '../../../packages/stripe-simulator/src/index.js';
import type { Answer } from '../../support/http-call.js';
import { startService, type TestService } from '../../support/service.js';
import { type TestStores, testStores } from '../../support/stores.js';
import { SECRET } from '../../support/stripe-events.js';

const KEY = 'sk_test_of_the_shop';
/** The origin of the application that sells. */
export const APP = 'https://app.example.com';

/** Makes a price of a product (of its name), in cents, and says its id. */
type PriceMaker = (
  product: string,
  cents: number,
  recurring?: Stripe.PriceCreateParams.Recurring,
) => Promise<string>;

/** What a shop has otherwise than the ordinary one. */
export interface ShopChanges {
  /** Seconds before now at which Stripe's clock begins. */
  readonly startsAgo?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Makes more prices and says the text of the plan file. */
  readonly plans?: (make: PriceMaker, prices: Readonly<Record<string, string>>) => Promise<string>;
}

/** A shop: Stripe simulated with prices for sale, and a service that sells them, hears of what happens and may ask. */
export class Shop {
  private constructor(
    readonly simulator: Simulator,
    readonly stripe: Stripe,
    /** The instance that is asked, and hears of what happens. */
    public service: TestService,
    readonly stores: TestStores,
    readonly prices: Readonly<Record<string, string>>,
    /** Text of its plan file. */
    readonly plans: string,
  ) {}

  static async open({ startsAgo = 3_600, environment = {}, plans }: ShopChanges = {}): Promise<Shop> {
    const simulator = await Simulator.start({ start: Math.floor(Date.now() / 1_000) - startsAgo, seed: 16 });
    const stripe = new Stripe(KEY, { ...simulator.sdkConfig, telemetry: false });
    const products = new Map<string, string>();
    const make: PriceMaker = async (name, unit_amount, recurring) => {
      const product = products.get(name) ?? (await stripe.products.create({ name })).id;
      products.set(name, product);
      const more = recurring === undefined ? {} : { recurring };
      return (await stripe.prices.create({ product, currency: 'usd', unit_amount, ...more })).id;
    };
    const prices = {
      plusMonthly: await make('Plus', 1_000, { interval: 'month' }),
      plusYearly: await make('Plus', 10_000, { interval: 'year' }),
      proMonthly: await make('Pro', 3_000, { interval: 'month' }),
      proOnce: await make('Pro', 90_000),
      seatMonthly: await make('Seats', 500, { interval: 'month' }),
    };
    const stores = await testStores();
    const text = plans === undefined ? planFile(prices) : await plans(make, prices);
    const service = await startService({
      stores,
      plans: text,
      environment: {
        STRIPE_SECRET_KEY: KEY,
        STRIPE_API_BASE: simulator.url,
        STRIPE_REQUESTS_PER_SECOND: '1000',
        CHECKOUT_URL_ORIGINS: APP,
        ...environment,
      },
    });
    const shop = new Shop(simulator, stripe, service, stores, prices, text);
    shop.deliverTo(service.url);
    return shop;
  }

  /** Has everything that happens from now on delivered to one service. */
  deliverTo(url: string): void {
    this.simulator.webhooks.destinations.set('we_1', {
      id: 'we_1',
      url: `${url}/webhooks/stripe`,
      secret: SECRET,
      payload: 'snapshot',
      enabledEvents: ['*'],
      enabled: 'enabled',
      shown: { id: 'we_1', object: 'webhook_endpoint' } as Stripe.WebhookEndpoint,
    });
  }

  /** Begins a checkout, at another instance where it is named. */
  begin(userId: string, choice: object, at: TestService = this.service): Promise<Answer> {
    return at.ask('POST', '/v1/checkout/sessions', {
      userId,
      successUrl: `${APP}/welcome`,
      cancelUrl: `${APP}/plans`,
      ...choice,
    });
  }

  /** What the buyer does on the page of a session; the clock goes on, so that nothing falls into one second. */
  async pay(sessionId: string, how: object = {}): Promise<void> {
    await this.later();
    await this.simulator.control('POST', `/_simulator/checkout/sessions/${sessionId}/complete`, how);
    await this.heard();
  }

  /** Buys and waits until it is in force. */
  async buy(userId: string, choice: object, how: object = {}): Promise<Answer['body']> {
    const { body } = await this.begin(userId, choice);
    await this.pay(body.sessionId, how);
    return this.follow(body.sessionId);
  }

  /** Presses "Confirm" in the portal; the status of the page that comes. */
  async confirm(url: string): Promise<number> {
    await this.later();
    const { status } = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ action: 'confirm' }),
    });
    await this.heard();
    return status;
  }

  async follow(sessionId: string, wait = 20): Promise<Answer['body']> {
    return (await this.service.get(`/v1/checkout/sessions/${sessionId}?wait=${wait}`)).body;
  }

  async later(seconds = 5): Promise<void> {
    await this.simulator.moveTo(this.simulator.account.clock.now + seconds);
  }

  async heard(): Promise<void> {
    await this.simulator.webhooks.settled();
  }

  /** The customers that Stripe has of a user, deleted ones left out. */
  async customersOf(userId: string): Promise<readonly string[]> {
    const all = await this.stripe.customers.list({ limit: 100 }).autoPagingToArray({ limit: 1_000 });
    return all.filter(({ metadata }) => metadata.user_id === userId).map(({ id }) => id);
  }

  /** The subscriptions that Stripe has of a user and that have not ended. */
  async runningOf(userId: string): Promise<readonly Stripe.Subscription[]> {
    const customers = await this.customersOf(userId);
    const lists = await Promise.all(
      customers.map((customer) => this.stripe.subscriptions.list({ customer })),
    );
    return lists.flatMap(({ data }) => data);
  }

  /** The card of the user's customer behaves as another one from now on. */
  async cardBecomes(userId: string, token: string): Promise<void> {
    const [customer = ''] = await this.customersOf(userId);
    const { data } = await this.stripe.paymentMethods.list({ customer });
    for (const { id } of data)
      await this.simulator.control('POST', `/_simulator/payment_methods/${id}`, { token });
  }

  /** Ends the instance that there is; another one on the same stores is asked from now on. */
  async goOnWith(other: TestService): Promise<void> {
    await this.service.close();
    this.service = other;
    this.deliverTo(other.url);
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.simulator.close();
    await this.stores.drop();
  }
}

function planFile(prices: Readonly<Record<string, string>>): string {
  return `default: free
trialDays: 14
plans:
  free: { rank: 0, role: free, limits: { members: 5 } }
  plus: { rank: 1, role: paid, limits: { members: 50 }, trialDays: 0, prices: { monthly: ${prices.plusMonthly}, yearly: ${prices.plusYearly} } }
  pro: { rank: 2, role: paid, perUnit: { projects: 10 }, prices: { monthly: ${prices.proMonthly}, lifetime: ${prices.proOnce} } }
  old: { rank: 3, role: paid, sellable: false, prices: { monthly: price_of_old } }
addons:
  seats: { prices: [${prices.seatMonthly}], limits: { members: 10 } }
`;
}
