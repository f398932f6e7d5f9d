import Stripe from 'stripe';
import {
  HANDLED_TYPES,
  translateStripeEvent,
} from '../../../src/stripe/translate/stripe-event.translator.js';
import { snapshotEvent } from '../src/events.js';
import { Simulator } from '../src/index.js';

const START = Date.UTC(2024, 0, 1) / 1_000;
const DAY = 86_400;
const CLAIMS = { account: null, userIdMetadataKey: 'user_id', userIdPattern: null };

/** Lives that between them have every event that the simulator tells. */
async function live(simulator: Simulator, stripe: Stripe): Promise<void> {
  const { id: product } = await stripe.products.create({ name: 'Pro' });
  const monthly = { product, currency: 'usd', recurring: { interval: 'month' as const } };
  const pro = await stripe.prices.create({ ...monthly, unit_amount: 1_000 });
  const team = await stripe.prices.create({ ...monthly, unit_amount: 3_000 });
  const subscribed = async (token: string, more: Partial<Stripe.SubscriptionCreateParams> = {}) => {
    const customer = await stripe.customers.create({ metadata: { user_id: `user of ${token}` } });
    const { id } = await stripe.paymentMethods.attach(token, { customer: customer.id });
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } });
    return stripe.subscriptions.create({ customer: customer.id, items: [{ price: pro.id }], ...more });
  };
  const well = await subscribed('pm_card_visa');
  const trial = await subscribed('pm_card_mastercard', { trial_period_days: 7 });
  await subscribed('pm_card_chargeCustomerFail');
  await subscribed('pm_card_authenticationRequired');
  await subscribed('pm_usBankAccount_success');
  const poor = await subscribed('pm_card_amex');
  const sent = await subscribed('pm_card_jcb', { collection_method: 'send_invoice', days_until_due: 5 });
  await stripe.invoices.sendInvoice(String(sent.latest_invoice));
  const checkout = async (token: string | null): Promise<void> => {
    const line = { currency: 'usd', unit_amount: 500, product_data: { name: 'Once' } };
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price_data: line, quantity: 1 }],
      success_url: 'https://app.example.com/',
    });
    if (token !== null)
      await simulator.control('POST', `/_simulator/checkout/sessions/${session.id}/complete`, { token });
  };
  for (const token of ['pm_card_createDispute', 'pm_card_createIssuerFraudRecord', 'pm_card_refundFail']) {
    const payment = { amount: 500, currency: 'usd', confirm: true, payment_method: token };
    const { latest_charge } = await stripe.paymentIntents.create(payment);
    if (token !== 'pm_card_createDispute') await stripe.refunds.create({ charge: String(latest_charge) });
    for (const { id } of (await stripe.disputes.list({ charge: String(latest_charge) })).data) {
      await stripe.disputes.update(id, { evidence: { uncategorized_text: 'winning_evidence' } });
    }
  }
  for (const token of ['pm_usBankAccount_success', 'pm_usBankAccount_noAccount', null]) await checkout(token);
  await simulator.moveTo(START + 2 * DAY);
  const [item] = well.items.data;
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', {
    customer: String(well.customer),
  });
  await stripe.subscriptions.update(well.id, { default_payment_method: failing.id });
  const upgrade = {
    items: [{ id: item?.id ?? '', price: team.id }],
    payment_behavior: 'pending_if_incomplete' as const,
    proration_behavior: 'always_invoice' as const,
  };
  await stripe.subscriptions.update(well.id, upgrade);
  await simulator.moveTo(START + 4 * DAY);
  const pending = await stripe.subscriptions.update(well.id, upgrade);
  await stripe.invoices.pay(String(pending.latest_invoice), { payment_method: 'pm_card_visa' });
  await stripe.subscriptions.update(well.id, { pause_collection: { behavior: 'void' } });
  await stripe.subscriptions.pause(trial.id);
  await stripe.subscriptions.resume(trial.id);
  const method = (await stripe.paymentMethods.list({ customer: String(poor.customer) })).data[0]?.id ?? '';
  await simulator.control('POST', `/_simulator/payment_methods/${method}`, {
    token: 'pm_card_chargeCustomerFail',
  });
  await simulator.control('POST', '/_simulator/settings', {
    invoice_after_dunning: 'mark_uncollectible',
    upcoming_days: 2,
  });
  await simulator.moveTo(START + 45 * DAY);
  await stripe.subscriptions.cancel(trial.id);
  await stripe.paymentMethods.detach(method);
  await stripe.customers.del(String(well.customer));
}

describe('Each event that the Stripe simulator tells', () => {
  it('is read by Tenure, and recorded where Tenure handles its type', async () => {
    const simulator = await Simulator.start({ start: START });
    const stripe = new Stripe('sk_test_of_the_tests', { ...simulator.sdkConfig, telemetry: false });
    const malformed: unknown[] = [];
    const outcomes = new Map<string, string>();
    simulator.account.events.listen((row) => {
      const event = JSON.parse(JSON.stringify(snapshotEvent(row)));
      const translation = translateStripeEvent(event, CLAIMS);
      if (translation.outcome === 'malformed') malformed.push([row.type, translation.problems]);
      outcomes.set(row.type, translation.outcome);
    });
    await live(simulator, stripe);
    await simulator.close();
    expect(malformed).toEqual([]);
    expect([...HANDLED_TYPES].filter((type) => !outcomes.has(type)).sort()).toEqual([]);
    const handled = [...outcomes.keys()].filter((type) => HANDLED_TYPES.has(type));
    expect(handled.filter((type) => outcomes.get(type) !== 'recorded')).toEqual([]);
  });
});
