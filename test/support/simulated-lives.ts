import Stripe from 'stripe';
import { type EventRow, snapshotEvent } from '../../packages/stripe-simulator/src/events.js';
import { Simulator } from '../../packages/stripe-simulator/src/index.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import type { TestService } from './service.js';
import { SECRET, type StripeEvent } from './stripe-events.js';

export const DAY = 86_400;

/** Numbers from 0 up to 1, the same for the same seed (Park and Miller). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const DEEDS = [
  'upgrade',
  'downgrade',
  'cancel',
  'cancelLater',
  'keep',
  'pause',
  'resume',
  'badCard',
  'goodCard',
  'note',
] as const;
type Deed = (typeof DEEDS)[number];

/** What becomes of the newest payment of somebody: who is disputed is, of two, once answered for. */
const TROUBLES: readonly (readonly Trouble[])[] = [
  ['warn', 'refund'],
  ['dispute', 'win'],
  ['warn', 'dispute'],
];
type Trouble = 'warn' | 'refund' | 'dispute' | 'win';

/** Part of the deliveries that is lost. */
const LOST = 0.05;
/** Seconds in which everything is lost at the beginning. */
const QUIET_SECONDS = 600;
/** Who comes and is heard of, and leaves without anybody hearing of it, however the dice fall. */
const UNSEEN_LIFE = 2;

/**
 * Days of a trial, after which weeks are counted: when lives of 5, 25 or 40 days are over, no period of theirs ends within a
 * day, or access would end by the clock while a test compares logs.
 */
const TRIAL_DAYS = 3;

/** What a snapshot says that depends on when and by which events it came about, not on what holds. */
const OF_THE_LOG = new Set([
  'version',
  'position',
  'revocationVersion',
  'changedAt',
  'asOf',
  'evaluatedAt',
  'expiresAt',
]);

/** What holds of each of so many people, once a service has folded all of its log. */
export async function holdingAt(
  service: TestService,
  lives: number,
): Promise<Readonly<Record<string, unknown>>> {
  const at = (await service.tenure.app.get<EventStore>(EVENT_STORE).head()) ?? '0';
  const all: [string, unknown][] = [];
  for (let life = 0; life < lives; life += 1) {
    const snapshot = await service.entitlements(`user_${life}`, at);
    const said = Object.entries(snapshot).filter(([key]) => !OF_THE_LOG.has(key));
    all.push([`user_${life}`, Object.fromEntries(said)]);
  }
  return Object.fromEntries(all);
}

/** What somebody does at a second (Unix). */
interface Step {
  readonly at: number;
  readonly life: number;
  readonly does: Deed | Trouble | 'subscribe' | 'subscribeSeen' | 'cancelUnseen';
}

/**
 * A Stripe account in which people subscribe, change and leave, over days that end now. Everything that happens is kept, also
 * what Stripe itself has forgotten.
 */
export class SimulatedLives {
  readonly events: StripeEvent[] = [];
  readonly #subscriptions = new Map<number, Stripe.Subscription>();
  #lost = LOST;

  private constructor(
    readonly simulator: Simulator,
    readonly stripe: Stripe,
    readonly plans: { readonly plus: string; readonly pro: string; readonly once: string },
    /** Unix seconds. */
    readonly start: number,
  ) {
    simulator.account.events.listen((row: EventRow) => {
      // As it goes over the wire.
      this.events.push(JSON.parse(JSON.stringify(snapshotEvent(row))));
    });
  }

  static async start(days: number): Promise<SimulatedLives> {
    const start = Math.floor(Date.now() / 1_000) - days * DAY;
    const simulator = await Simulator.start({ start, seed: days });
    const stripe = new Stripe('sk_test_of_the_lives', { ...simulator.sdkConfig, telemetry: false });
    const priceOf = async (unit_amount: number, every: 'week' | 'never' = 'week'): Promise<string> => {
      const { id: product } = await stripe.products.create({ name: `for ${unit_amount}` });
      const recurring = every === 'never' ? {} : { recurring: { interval: every } };
      return (await stripe.prices.create({ product, currency: 'usd', unit_amount, ...recurring })).id;
    };
    return new SimulatedLives(
      simulator,
      stripe,
      { plus: await priceOf(1_000), pro: await priceOf(3_000), once: await priceOf(90_000, 'never') },
      start,
    );
  }

  /** A plan file that sells what is sold here. */
  get planFile(): string {
    return `default: free
plans:
  free: { rank: 0, role: free }
  plus: { rank: 1, role: paid, prices: { w: ${this.plans.plus} } }
  pro: { rank: 2, role: paid, prices: { w: ${this.plans.pro}, lifetime: ${this.plans.once} } }
`;
  }

  /** Settings under which a service, or a command, asks here. */
  get environment(): Readonly<Record<string, string>> {
    return {
      STRIPE_SECRET_KEY: 'sk_test_of_the_lives',
      STRIPE_API_BASE: this.simulator.url,
      STRIPE_REQUESTS_PER_SECOND: '1000',
    };
  }

  /** Has everything that happens from now on delivered, signed for a service of the tests. */
  deliverTo(url: string, payload: 'snapshot' | 'thin' = 'snapshot'): void {
    const { destinations } = this.simulator.webhooks;
    const id = `we_${destinations.size + 1}`;
    const shown = { id, object: 'webhook_endpoint' } as Stripe.WebhookEndpoint;
    destinations.set(id, {
      id,
      url: `${url}/webhooks/stripe`,
      secret: SECRET,
      payload,
      enabledEvents: ['*'],
      enabled: 'enabled',
      shown,
    });
  }

  async drops(drop: number): Promise<void> {
    await this.simulator.control('POST', '/_simulator/webhooks/faults', { drop });
  }

  /**
   * So many people live until now. Of `lossy` deliveries everything of the first ten minutes is lost, then 5 %; of `troubled`
   * payments every second person's newest one is refunded or disputed.
   */
  async live(
    lives: number,
    deliveries: 'lossy' | 'whole' = 'lossy',
    payments: 'untroubled' | 'troubled' = 'untroubled',
  ): Promise<void> {
    this.#lost = deliveries === 'lossy' ? LOST : 0;
    const random = numbers(lives);
    const now = Math.floor(Date.now() / 1_000);
    const steps: Step[] = [];
    for (let life = 0; life < lives; life += 1) {
      if (life === UNSEEN_LIFE) {
        const heard = this.start + QUIET_SECONDS;
        steps.push({ at: heard, life, does: 'subscribeSeen' });
        steps.push({ at: heard + 3 * DAY, life, does: 'cancelUnseen' });
        continue;
      }
      const begin = this.start + Math.floor(random() * 2 * QUIET_SECONDS);
      steps.push({ at: begin, life, does: 'subscribe' });
      for (let deeds = Math.floor(random() * 4); deeds > 0; deeds -= 1) {
        const at = begin + 1 + Math.floor(random() * (now - begin - 3_600));
        steps.push({ at, life, does: DEEDS[Math.floor(random() * DEEDS.length)] ?? 'note' });
      }
      if (payments === 'troubled' && life % 2 === 1) {
        const half = Math.floor((now - begin) / 2);
        for (const [n, does] of (TROUBLES[((life - 1) / 2) % TROUBLES.length] ?? []).entries())
          steps.push({ at: begin + half + n * 3_600, life, does });
      }
    }
    await this.drops(deliveries === 'lossy' ? 1 : 0);
    const quiet = this.start + QUIET_SECONDS;
    let isQuiet = false;
    for (const step of steps.sort((a, b) => a.at - b.at)) {
      if (!isQuiet && step.at >= quiet) {
        isQuiet = true;
        await this.simulator.moveTo(Math.max(quiet, this.simulator.account.clock.now));
        await this.drops(this.#lost);
      }
      await this.simulator.moveTo(Math.max(step.at, this.simulator.account.clock.now));
      await this.#take(step).catch((error: unknown) => {
        if (!(error instanceof Stripe.errors.StripeError && (error.statusCode ?? 500) < 500)) throw error;
      });
    }
    await this.simulator.moveTo(Math.floor(Date.now() / 1_000) - 60);
    await this.simulator.webhooks.settled();
    await this.simulator.moveTo(Math.floor(Date.now() / 1_000));
  }

  /** What a bank, or the seller, does to the newest payment of somebody who has paid. */
  async #trouble(customer: string, does: Trouble): Promise<void> {
    const { account } = this.simulator;
    const charges = [...account.charges.select({ by: ['customer', customer] })].filter(({ paid }) => paid);
    const charge = charges.sort((a, b) => a.created - b.created).at(-1);
    if (charge === undefined) return;
    const control = (path: string, params: object) => this.simulator.control('POST', path, params);
    switch (does) {
      case 'warn':
        await control(`/_simulator/charges/${charge.id}/early_fraud_warning`, {});
        return;
      case 'refund':
        await this.stripe.refunds.create({ charge: charge.id });
        return;
      case 'dispute':
        await control(`/_simulator/charges/${charge.id}/dispute`, {});
        return;
      case 'win': {
        const dispute = [...account.disputes.select()].find((one) => one.charge === charge.id);
        if (dispute !== undefined) await control(`/_simulator/disputes/${dispute.id}`, { status: 'won' });
      }
    }
  }

  async #subscribe(life: number): Promise<void> {
    const { stripe, plans } = this;
    const metadata = { user_id: `user_${life}` };
    const { id: customer } = await stripe.customers.create({ metadata });
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
    const items = [{ price: life % 3 === 0 ? plans.pro : plans.plus }];
    const trial = life % 7 === 0 ? { trial_period_days: TRIAL_DAYS } : {};
    this.#subscriptions.set(life, await stripe.subscriptions.create({ customer, items, metadata, ...trial }));
  }

  async #take({ life, does }: Step): Promise<void> {
    const { stripe, plans, simulator } = this;
    if (does === 'subscribe') return this.#subscribe(life);
    if (does === 'subscribeSeen') {
      await this.drops(0);
      await this.#subscribe(life);
      await this.drops(this.#lost);
      return;
    }
    const subscription = this.#subscriptions.get(life);
    if (subscription === undefined) return;
    const { id, items, customer } = subscription;
    const changed = (price: string) =>
      stripe.subscriptions.update(id, {
        items: [{ id: items.data[0]?.id ?? '', price }],
        proration_behavior: 'always_invoice',
      });
    switch (does) {
      case 'warn':
      case 'refund':
      case 'dispute':
      case 'win':
        return this.#trouble(String(customer), does);
      case 'upgrade':
        await changed(plans.pro);
        return;
      case 'downgrade':
        await changed(plans.plus);
        return;
      case 'cancelUnseen':
        await this.drops(this.#lost === 0 ? 0 : 1);
        await stripe.subscriptions.cancel(id);
        await this.drops(this.#lost);
        return;
      case 'cancel':
        await stripe.subscriptions.cancel(id);
        return;
      case 'cancelLater':
      case 'keep':
        await stripe.subscriptions.update(id, { cancel_at_period_end: does === 'cancelLater' });
        return;
      case 'pause':
        await stripe.subscriptions.pause(id);
        return;
      case 'resume':
        await stripe.subscriptions.resume(id);
        return;
      case 'note':
        await stripe.subscriptions.update(id, { metadata: { user_id: `user_${life}`, note: 'n' } });
        return;
      case 'badCard':
      case 'goodCard': {
        const { data } = await stripe.paymentMethods.list({ customer: String(customer), limit: 1 });
        const token = does === 'goodCard' ? 'pm_card_visa' : 'pm_card_chargeCustomerFail';
        await simulator.control('POST', `/_simulator/payment_methods/${data[0]?.id}`, { token });
      }
    }
  }

  close(): Promise<void> {
    return this.simulator.close();
  }
}
