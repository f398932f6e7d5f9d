import Stripe from 'stripe';
import { SimulatedClock } from '../../../demo/stripe/simulated-clock.js';
import { SimulatedSubscription } from '../../../demo/stripe/simulated-subscription.js';
import { eventOf } from '../../../test/support/translated.js';
import { snapshotEvent } from '../src/events.js';
import { Simulator } from '../src/index.js';

const START = Date.UTC(2026, 0, 1) / 1_000;
const DAY = 86_400;
const USER = 'ada';

/** What hand-made events tell of: a subscription, whether its invoices are paid, and its checkout. */
const TOLD = new Set([
  'checkout.session.completed',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'invoice.paid',
  'invoice.payment_failed',
]);

/** Bought on the hosted page, renewed, upgraded and paid, not paid and then paid, to end with the month, ended. */
async function lived(): Promise<readonly unknown[]> {
  const simulator = await Simulator.start({ start: START });
  const stripe = new Stripe('sk_test_of_the_tests', { ...simulator.sdkConfig, telemetry: false });
  const told: unknown[] = [];
  simulator.account.events.listen((row) => {
    if (TOLD.has(row.type)) told.push(JSON.parse(JSON.stringify(snapshotEvent(row))));
  });
  const priceOf = async (name: string, unit_amount: number): Promise<string> => {
    const { id: product } = await stripe.products.create({ name });
    const recurring = { interval: 'month' as const };
    return (await stripe.prices.create({ product, currency: 'usd', unit_amount, recurring })).id;
  };
  const [plus, pro] = [await priceOf('Plus', 1_000), await priceOf('Pro', 2_900)];
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    client_reference_id: USER,
    subscription_data: { metadata: { user_id: USER } },
    line_items: [{ price: plus, quantity: 1 }],
    success_url: 'https://app.example.com/',
  });
  const pay = { token: 'pm_card_visa', email: 'buyer@example.com', name: 'Test Buyer' };
  await simulator.control('POST', `/_simulator/checkout/sessions/${session.id}/complete`, pay);
  const [subscription] = (await stripe.subscriptions.list()).data;
  const id = subscription?.id ?? '';
  await simulator.moveTo(START + 33 * DAY);
  const item = subscription?.items.data[0]?.id ?? '';
  await stripe.subscriptions.update(id, {
    items: [{ id: item, price: pro }],
    proration_behavior: 'always_invoice',
  });
  const method = String((await stripe.subscriptions.retrieve(id)).default_payment_method);
  const becomes = (token: string) =>
    simulator.control('POST', `/_simulator/payment_methods/${method}`, { token });
  await becomes('pm_card_chargeCustomerFail');
  await simulator.moveTo(START + 60 * DAY);
  await becomes('pm_card_visa');
  await simulator.moveTo(START + 65 * DAY);
  await stripe.subscriptions.update(id, { cancel_at_period_end: true });
  await simulator.moveTo(START + 100 * DAY);
  await simulator.close();
  return told;
}

/** The same, made by hand. */
function handMade(): readonly unknown[] {
  const clock = new SimulatedClock(START);
  const plus = { id: 'price_plus', product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
  const pro = { id: 'price_pro', product: 'prod_pro', name: 'Pro', unitAmount: 2_900 };
  const ada = new SimulatedSubscription(clock, { name: 'Ada', userId: USER, price: plus });
  const bought = [
    ada.started('incomplete'),
    ada.becomes('active'),
    ada.pays('subscription_create'),
    ada.checksOut(USER),
  ];
  clock.pass(30 * DAY);
  const renewed = [ada.renews(), ada.pays('subscription_cycle')];
  const upgraded = [ada.switchesTo(pro), ada.pays('subscription_update')];
  clock.pass(30 * DAY);
  const lapsed = [ada.renews(), ada.failsToPay('subscription_cycle'), ada.becomes('past_due')];
  const recovered = [ada.becomes('active'), ada.pays('subscription_cycle')];
  const scheduled = [ada.cancelsAtPeriodEnd()];
  clock.pass(30 * DAY);
  return [...bought, ...renewed, ...upgraded, ...lapsed, ...recovered, ...scheduled, ada.ends()].map(
    ({ body }) => JSON.parse(body),
  );
}

/** What Tenure records of events: ids as the first, second, … of their kind, and of seconds and amounts that there is one. */
function recordedOf(bodies: readonly unknown[]): readonly unknown[] {
  const seen = new Map<string, string>();
  const named = (id: string, kind: string): string => {
    const nth = [...seen.values()].filter((name) => name.startsWith(`${kind} `)).length + 1;
    const name = seen.get(id) ?? `${kind} ${nth}`;
    seen.set(id, name);
    return name;
  };
  const plain = (key: string, value: unknown): unknown => {
    if (key === 'digest') return undefined;
    if (typeof value === 'number' && value >= START) return 'a second';
    if (typeof value === 'number' && /amount|total/i.test(key)) return Math.sign(value);
    const kind =
      typeof value === 'string' ? /^(sub|cus|in|il|si|cs|price|prod)_/.exec(value)?.[1] : undefined;
    return kind === undefined ? value : named(String(value), kind);
  };
  return bodies.map((body) => {
    const { type, data } = eventOf(body);
    return JSON.parse(JSON.stringify({ type, data }, plain));
  });
}

describe('The events of one story', () => {
  it('are the same from the simulator as made by hand', async () => {
    expect(recordedOf(handMade())).toEqual(recordedOf(await lived()));
  });
});
