import Stripe from 'stripe';
import { Simulator } from '../src/index.js';

const START = Date.UTC(2024, 0, 1) / 1_000;
const DAY = 86_400;

describe('A payment in the Stripe simulator', () => {
  let simulator: Simulator;
  let stripe: Stripe;

  beforeAll(async () => {
    simulator = await Simulator.start({ start: START });
    stripe = new Stripe('sk_test_of_the_tests', {
      ...simulator.sdkConfig,
      maxNetworkRetries: 0,
      telemetry: false,
    });
  });
  afterAll(async () => simulator.close());

  /** The charge of a payment of 10.00 by a test token. */
  async function charged(payment_method = 'pm_card_visa'): Promise<string> {
    const intent = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: 'usd',
      confirm: true,
      payment_method,
    });
    return String(intent.latest_charge);
  }

  /** Types of events about a charge, its refunds, its disputes and its warnings, in their order. */
  async function told(charge: string): Promise<readonly string[]> {
    const events = await stripe.events.list({ limit: 100 });
    const about = events.data.filter(({ data: { object } }) => JSON.stringify(object).includes(charge));
    const types = about.map(({ type }) => type).reverse();
    return types.filter((type) => !type.startsWith('payment_intent.') && type !== 'charge.succeeded');
  }

  async function daysPass(days: number): Promise<void> {
    await simulator.moveTo(simulator.account.now + days * DAY);
  }

  it('is given back in parts that add up, and no more than it was', async () => {
    const charge = await charged();
    await stripe.refunds.create({ charge, amount: 400 });
    expect(await stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 400, refunded: false });
    await expect(stripe.refunds.create({ charge, amount: 601 })).rejects.toMatchObject({ param: 'amount' });
    await stripe.refunds.create({ charge });
    expect(await stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 1_000, refunded: true });
    await expect(stripe.refunds.create({ charge })).rejects.toMatchObject({
      code: 'charge_already_refunded',
    });
    expect(await told(charge)).toEqual([
      'refund.created',
      'charge.refunded',
      'refund.created',
      'charge.refunded',
    ]);
  });

  it('is not refunded after all when the refund fails days later', async () => {
    const charge = await charged('pm_card_refundFail');
    const { id, status } = await stripe.refunds.create({ charge });
    expect(status).toBe('succeeded');
    await daysPass(3);
    expect(await stripe.refunds.retrieve(id)).toMatchObject({
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
    });
    expect(await stripe.charges.retrieve(charge)).toMatchObject({ amount_refunded: 0, refunded: false });
    expect(await told(charge)).toEqual([
      'refund.created',
      'charge.refunded',
      'refund.updated',
      'charge.refund.updated',
      'refund.failed',
      'charge.updated',
    ]);
  });

  it.each([
    ['winning_evidence', 'won', ['charge.dispute.closed', 'charge.dispute.funds_reinstated']],
    ['losing_evidence', 'lost', ['charge.dispute.closed']],
  ])('that is disputed is decided by the evidence: %s', async (uncategorized_text, status, last) => {
    const charge = await charged('pm_card_createDispute');
    const [dispute] = (await stripe.disputes.list({ charge })).data;
    expect(dispute).toMatchObject({ status: 'needs_response', amount: 1_000, is_charge_refundable: false });
    await expect(stripe.refunds.create({ charge })).rejects.toMatchObject({ code: 'charge_disputed' });
    const closed = await stripe.disputes.update(dispute?.id ?? '', { evidence: { uncategorized_text } });
    expect(closed.status).toBe(status);
    expect(await told(charge)).toEqual([
      'charge.dispute.created',
      'charge.updated',
      'charge.dispute.funds_withdrawn',
      'charge.dispute.updated',
      ...last,
    ]);
  });

  it('that is asked about loses no money until the inquiry escalates, which is lost when nobody answers', async () => {
    const charge = await charged('pm_card_createDisputeInquiry');
    const [inquiry] = (await stripe.disputes.list({ charge })).data;
    const id = inquiry?.id ?? '';
    expect(inquiry).toMatchObject({ status: 'warning_needs_response', is_charge_refundable: true });
    expect(await told(charge)).not.toContain('charge.dispute.funds_withdrawn');
    await simulator.control('POST', `/_simulator/disputes/${id}`, { status: 'needs_response' });
    expect(await told(charge)).toContain('charge.dispute.funds_withdrawn');
    await daysPass(9);
    expect((await stripe.disputes.retrieve(id)).status).toBe('lost');
    await simulator.control('POST', `/_simulator/disputes/${id}`, { status: 'appeal_under_review' });
    await simulator.control('POST', `/_simulator/disputes/${id}`, { status: 'won' });
    expect(await told(charge)).toContain('charge.dispute.funds_reinstated');
    const back = simulator.control('POST', `/_simulator/disputes/${id}`, { status: 'needs_response' });
    await expect(back).rejects.toMatchObject({ status: 400 });
  });

  it('can be disputed in part, and settled before it is disputed', async () => {
    const [part, settled] = [await charged(), await charged()];
    await simulator.control('POST', `/_simulator/charges/${part}/dispute`, { amount: 300 });
    await simulator.control('POST', `/_simulator/charges/${settled}/dispute`, { kind: 'resolution' });
    expect((await stripe.disputes.list({ charge: part })).data).toMatchObject([{ amount: 300 }]);
    expect((await stripe.disputes.list({ charge: settled })).data).toMatchObject([
      { status: 'prevented', payment_method_details: { card: { case_type: 'resolution' } } },
    ]);
  });

  it('that is warned of as fraud can be acted on until it is refunded', async () => {
    const charge = await charged('pm_card_createIssuerFraudRecord');
    expect((await stripe.radar.earlyFraudWarnings.list({ charge })).data).toMatchObject([
      { actionable: true },
    ]);
    await stripe.refunds.create({ charge });
    expect((await stripe.radar.earlyFraudWarnings.list({ charge })).data).toMatchObject([
      { actionable: false },
    ]);
  });

  it('waits for the buyer to prove who they are where the card asks for it', async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 1_000,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_authenticationRequired',
    });
    expect(intent.status).toBe('requires_action');
    await simulator.control('POST', `/_simulator/payment_intents/${intent.id}/authenticate`);
    expect((await stripe.paymentIntents.retrieve(intent.id)).status).toBe('succeeded');
  });
});
