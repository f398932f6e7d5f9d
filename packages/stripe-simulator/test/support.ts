import Stripe from 'stripe';
import { Simulator } from '../src/index.js';

/** 2024-01-01T00:00:00Z. */
export const START = Date.UTC(2024, 0, 1) / 1_000;
export const DAY = 86_400;

/** A simulator with what tests ask of it again and again. */
export class Fixture {
  private constructor(
    readonly simulator: Simulator,
    readonly stripe: Stripe,
  ) {}

  static async start(start = START): Promise<Fixture> {
    const simulator = await Simulator.start({ start });
    const config = { ...simulator.sdkConfig, maxNetworkRetries: 0, telemetry: false };
    return new Fixture(simulator, new Stripe('sk_test_of_the_tests', config));
  }

  async close(): Promise<void> {
    await this.simulator.close();
  }

  /** A price of a new product, monthly unless told otherwise. */
  async price(unit_amount: number, more: Partial<Stripe.PriceCreateParams> = {}): Promise<Stripe.Price> {
    const { id: product } = await this.stripe.products.create({ name: `for ${unit_amount}` });
    const recurring = { interval: 'month' as const };
    return this.stripe.prices.create({ product, currency: 'usd', unit_amount, recurring, ...more });
  }

  /** A customer who pays by a test token. */
  async buyer(token = 'pm_card_visa', more: Stripe.CustomerCreateParams = {}): Promise<Stripe.Customer> {
    const customer = await this.stripe.customers.create(more);
    const { id } = await this.stripe.paymentMethods.attach(token, { customer: customer.id });
    return this.stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } });
  }

  /** A subscription of a new buyer to one price. */
  async subscribed(
    price: string,
    more: Partial<Stripe.SubscriptionCreateParams> = {},
  ): Promise<Stripe.Subscription> {
    const { id: customer } = await this.buyer();
    return this.stripe.subscriptions.create({ customer, items: [{ price }], ...more });
  }

  /** Types of the events whose object names an id, oldest first. */
  async eventsOf(id: string): Promise<readonly string[]> {
    const { data } = await this.stripe.events.list({ limit: 100 });
    const about = data.filter(({ data: { object } }) => JSON.stringify(object).includes(id));
    return about.map(({ type }) => type).reverse();
  }

  async daysPass(days: number): Promise<void> {
    await this.simulator.moveTo(this.simulator.account.now + days * DAY);
  }
}
