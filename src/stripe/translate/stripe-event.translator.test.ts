import fc from 'fast-check';
import {
  checkoutObject,
  customerObject,
  invoiceObject,
  type StripeEvent,
  stripeEvent,
  subscriptionObject,
} from '../../../test/support/stripe-events.js';
import {
  chargeObject,
  disputeObject,
  fraudWarningObject,
  invoicePaymentObject,
  refundObject,
} from '../../../test/support/stripe-payments.js';
import { eventOf, TRANSLATION, translated } from '../../../test/support/translated.js';
import { metadataOf } from '../../commands/aggregate.js';
import { EVENT_TYPES } from '../../events/event-types.js';
import { GENESIS_HASH, sealEvent } from '../../events/hash-chain.js';
import { HANDLED_TYPES, isHandledType, translateStripeEvent } from './stripe-event.translator.js';

const sub = (more: object = {}) => subscriptionObject('sub_1', 'price_plus', more);
const invoice = (more: object = {}) => invoiceObject('in_1', 'sub_1', 'price_plus', more);
/** An invoice made for a customer: its lines alone say what it is of. */
const ofCustomer = invoice({
  customer: 'cus_1',
  parent: null,
  lines: { data: [{ parent: { subscription_item_details: { subscription: 'sub_1' } } }] },
});
const session = checkoutObject('cs_1', { subscription: 'sub_1', userId: 'u1' });
const customer = customerObject('cus_1', { metadata: { user_id: 'u1' } });

const attachment = invoicePaymentObject('inpay_1', 'in_1', 'pi_1');
const refund = refundObject('re_1', 'ch_1', 'pi_1');
const dispute = disputeObject('du_1', 'ch_1', 'pi_1');
const warning = fraudWarningObject('issfr_1', 'ch_1', 'pi_1');

/** Every Stripe type that is recorded: an object it is about, the stream it goes to, the event it becomes. */
const RECORDED: readonly [type: string, object: object, stream: string, event: string][] = [
  ['customer.subscription.created', sub(), 'subscription-sub_1', 'SubscriptionActivated'],
  ['customer.subscription.updated', sub(), 'subscription-sub_1', 'SubscriptionUpdated'],
  ['customer.subscription.deleted', sub(), 'subscription-sub_1', 'SubscriptionCanceled'],
  ['customer.subscription.paused', sub(), 'subscription-sub_1', 'SubscriptionSuspended'],
  ['customer.subscription.resumed', sub(), 'subscription-sub_1', 'SubscriptionResumed'],
  ['customer.subscription.trial_will_end', sub(), 'subscription-sub_1', 'SubscriptionTrialEnding'],
  ['customer.subscription.pending_update_applied', sub(), 'subscription-sub_1', 'SubscriptionPlanChanged'],
  ['customer.subscription.pending_update_expired', sub(), 'subscription-sub_1', 'SubscriptionUpdated'],
  ['invoice.paid', invoice(), 'subscription-sub_1', 'SubscriptionPaid'],
  ['invoice.payment_succeeded', invoice(), 'subscription-sub_1', 'SubscriptionPaid'],
  ['invoice.payment_failed', invoice(), 'subscription-sub_1', 'SubscriptionPaymentFailed'],
  ['invoice.finalized', invoice(), 'subscription-sub_1', 'SubscriptionInvoiceFinalized'],
  ['invoice.sent', invoice(), 'subscription-sub_1', 'SubscriptionInvoiceFinalized'],
  ['invoice.overdue', invoice(), 'subscription-sub_1', 'SubscriptionInvoiceFinalized'],
  ['invoice.payment_action_required', invoice(), 'subscription-sub_1', 'SubscriptionInvoiceFinalized'],
  ['invoice.paid', ofCustomer, 'customer-cus_1', 'CustomerInvoicePaid'],
  ['invoice.payment_failed', ofCustomer, 'customer-cus_1', 'CustomerInvoicePaymentFailed'],
  ['invoice.finalized', ofCustomer, 'customer-cus_1', 'CustomerInvoiceFinalized'],
  ['invoice.marked_uncollectible', ofCustomer, 'customer-cus_1', 'CustomerInvoiceUncollectible'],
  ['invoice.voided', ofCustomer, 'customer-cus_1', 'CustomerInvoiceVoided'],
  ['invoice.marked_uncollectible', invoice(), 'subscription-sub_1', 'SubscriptionInvoiceUncollectible'],
  ['invoice.voided', invoice(), 'subscription-sub_1', 'SubscriptionInvoiceVoided'],
  ['checkout.session.completed', session, 'checkout-cs_1', 'CheckoutCompleted'],
  ['checkout.session.async_payment_succeeded', session, 'checkout-cs_1', 'CheckoutPaymentSucceeded'],
  ['checkout.session.async_payment_failed', session, 'checkout-cs_1', 'CheckoutPaymentFailed'],
  ['checkout.session.expired', session, 'checkout-cs_1', 'CheckoutExpired'],
  ['invoice_payment.paid', attachment, 'payment-pi_1', 'PaymentAttachedToInvoice'],
  ['charge.refunded', chargeObject('ch_1', 'pi_1'), 'payment-pi_1', 'PaymentRefunded'],
  ['refund.failed', refund, 'payment-pi_1', 'PaymentRefundFailed'],
  ['refund.updated', refund, 'payment-pi_1', 'PaymentRefundFailed'],
  ['charge.refund.updated', refund, 'payment-pi_1', 'PaymentRefundFailed'],
  ['charge.dispute.created', dispute, 'payment-pi_1', 'PaymentDisputed'],
  ['charge.dispute.updated', dispute, 'payment-pi_1', 'PaymentDisputed'],
  ['charge.dispute.funds_withdrawn', dispute, 'payment-pi_1', 'PaymentDisputed'],
  ['charge.dispute.funds_reinstated', dispute, 'payment-pi_1', 'PaymentDisputed'],
  ['charge.dispute.closed', dispute, 'payment-pi_1', 'DisputeClosed'],
  ['radar.early_fraud_warning.created', warning, 'payment-pi_1', 'PaymentWarned'],
  ['radar.early_fraud_warning.updated', warning, 'payment-pi_1', 'PaymentWarned'],
  ['customer.created', customer, 'customer-cus_1', 'CustomerObserved'],
  ['customer.updated', customer, 'customer-cus_1', 'CustomerObserved'],
  ['customer.deleted', customer, 'customer-cus_1', 'CustomerDeleted'],
];

describe('a Stripe event', () => {
  it('of every handled type is tried here', () => {
    expect(new Set(RECORDED.map(([type]) => type))).toEqual(HANDLED_TYPES);
  });

  it.each(RECORDED)('%s goes to its stream', (type, object, stream, event) => {
    expect(isHandledType(type)).toBe(true);
    const body = stripeEvent(type, object, { id: 'evt_1', created: 1_790_000_000 });
    const translation = translated(body);
    expect(translation).toMatchObject({
      outcome: 'recorded',
      event: { type: event },
      stripe: {
        eventId: 'evt_1',
        eventType: type,
        created: 1_790_000_000,
        apiVersion: '2026-10-28.endive',
        livemode: false,
      },
    });
    if (translation.outcome !== 'recorded') throw new Error('not recorded');
    expect(`${translation.stream.category}-${translation.stream.id}`).toBe(stream);
  });

  it.each<[unknown, string | null]>([
    [{ user_id: 'u1' }, 'u1'],
    [{ user_id: '' }, null],
    [{ other: 'u1' }, null],
    [null, null],
  ])('of a customer with metadata %j claims %j', (metadata, userId) => {
    expect(eventOf(stripeEvent('customer.updated', customerObject('cus_1', { metadata })))).toEqual({
      type: 'CustomerObserved',
      data: { customer: 'cus_1', userId },
    });
  });

  it.each([
    ['customer.updated', customerObject('cus_1', { metadata: { account: 'a1', user_id: 'u1' } })],
    ['customer.subscription.updated', sub({ metadata: { account: 'a1', user_id: 'u1' } })],
  ])('%s has its claim under the key that is set', (type, object) => {
    const translation = translateStripeEvent(stripeEvent(type, object), {
      ...TRANSLATION,
      userIdMetadataKey: 'account',
    });
    expect(translation).toMatchObject({ outcome: 'recorded', event: { data: { userId: 'a1' } } });
  });

  it.each<[string, Partial<StripeEvent>, object]>([
    ['without a mode is of test mode', { livemode: undefined }, { livemode: false }],
    ['of live mode says so', { livemode: true }, { livemode: true }],
    ['of no version has none', { api_version: null }, { apiVersion: null }],
    ['of the first second counts', { created: 0 }, { created: 0 }],
    ['of the last second counts', { created: 4_102_444_800 }, { created: 4_102_444_800 }],
  ])('%s', (_, more, stripe) => {
    expect(translated({ ...stripeEvent('customer.created', customer), ...more })).toMatchObject({
      outcome: 'recorded',
      stripe,
    });
  });

  it.each<[string, unknown, string]>([
    ['of a type nobody asked for', stripeEvent('charge.succeeded', { id: 'ch_1' }), 'unhandled_type'],
    ['of a type to come', stripeEvent('customer.subscription.moved', sub()), 'unhandled_type'],
    ['of a type like a method', stripeEvent('toString', {}), 'unhandled_type'],
    ['of an unhandled type, however odd', { id: 'evt_1', type: 'x', created: -5 }, 'unhandled_type'],
    [
      'of a Connect account',
      stripeEvent('invoice.paid', invoice(), { account: 'acct_1' }),
      'connect_account',
    ],
    [
      'of an invoice of no subscription',
      stripeEvent('invoice.paid', { id: 'in_1', status: 'paid' }),
      'no_subscription',
    ],
    [
      'of another account of the organisation',
      stripeEvent('invoice.paid', invoice(), { context: 'acct_1' }),
      'other_account',
    ],
    [
      'of an account below another context',
      stripeEvent('invoice.paid', invoice(), { context: 'org_1/acct_1' }),
      'other_account',
    ],
  ])('%s is ignored', (_, body, reason) => {
    expect(translated(body)).toMatchObject({ outcome: 'ignored', reason });
  });

  it.each<[string, string | null, Partial<StripeEvent>]>([
    ['that names our account', 'acct_1', { account: 'acct_1' }],
    ['whose context is our account', 'acct_1', { context: 'acct_1' }],
    ['whose context ends in our account', 'acct_1', { context: 'org_1/acct_1' }],
    ['whose context names no account', null, { context: 'org_1' }],
  ])('%s counts', (_, account, more) => {
    const body = stripeEvent('invoice.paid', invoice(), more);
    expect(translateStripeEvent(body, { ...TRANSLATION, account }).outcome).toBe('recorded');
  });

  it.each([
    ['fits the pattern as a whole', 'u-1', 'u-1'],
    ['holds a part that fits', 'xu-1', null],
  ])('claims a user id that %s: %s', (_, userId, claim) => {
    const options = { ...TRANSLATION, userIdPattern: /^(?:u-\d+)$/u };
    const body = stripeEvent('customer.updated', customerObject('cus_1', { metadata: { user_id: userId } }));
    expect(translateStripeEvent(body, options)).toMatchObject({ event: { data: { userId: claim } } });
  });

  it.each<[string, object]>([
    ['cancel_at beyond the year 9999', sub({ cancel_at: 253_402_300_800 })],
    ['cancel_at in milliseconds', sub({ cancel_at: 1_790_000_000_000 })],
    ['cancel_at before time began', sub({ cancel_at: -1 })],
    ['trial_end of half a second', sub({ trial_end: 1_790_000_000.5 })],
    ['trial_end beyond all numbers that are exact', sub({ trial_end: 1e300 })],
    ['pause_collection.resumes_at', sub({ pause_collection: { behavior: 'void', resumes_at: 1e15 } })],
    ['current_period_end', sub({ items: { data: [{ price: 'price_1', current_period_end: 8.64e12 }] } })],
    ['quantity', sub({ items: { data: [{ price: 'price_1', quantity: 1e308 }] } })],
    ['quantity', sub({ items: { data: [{ price: 'price_1', quantity: -1 }] } })],
    ['quantity', sub({ items: { data: [{ price: 'price_1', quantity: 1_000_000_000 }] } })],
    ['data.object.created', invoice({ created: 4_102_444_801 })],
    ['data.object.lines.data.1.period.end', invoice({ lines: { data: [{}, { period: { end: 1e13 } }] } })],
    ['data.object.lines.data.0.quantity', invoice({ lines: { data: [{ quantity: 2 ** 53 }] } })],
  ])('with a value out of range is malformed: %s', (name, object) => {
    const type = 'items' in object ? 'customer.subscription.updated' : 'invoice.paid';
    const [field = ''] = name.split(' ');
    expect(translated(stripeEvent(type, object))).toMatchObject({
      outcome: 'malformed',
      problems: [expect.stringContaining(field)],
    });
  });

  it.each<[string, object]>([
    ['the last second of the year 9999', sub({ cancel_at: 253_402_300_799 })],
    ['the greatest quantity', sub({ items: { data: [{ price: 'price_1', quantity: 999_999_999 }] } })],
    ['bytes that were used', invoice({ lines: { data: [{ quantity: 12_884_901_888 }] } })],
  ])('with %s is recorded', (_, object) => {
    const type = 'items' in object ? 'customer.subscription.updated' : 'invoice.paid';
    expect(translated(stripeEvent(type, object)).outcome).toBe('recorded');
  });

  it.each<[string, unknown, string]>([
    ['that is a list', [], 'JSON object'],
    ['that is null', null, 'JSON object'],
    ['without an id', { ...stripeEvent('customer.created', customer), id: undefined }, 'id must'],
    [
      'with an id of 256 characters',
      stripeEvent('customer.created', customer, { id: 'e'.repeat(256) }),
      'id must',
    ],
    ['with an id of two words', stripeEvent('customer.created', customer, { id: 'evt 1' }), 'id must'],
    ['without a type', { ...stripeEvent('x', customer), type: 5 }, 'type must'],
    [
      'with an invoice of subscriptions and of no customer',
      stripeEvent('invoice.paid', { ...ofCustomer, customer: null }),
      'customer must',
    ],
    ['before time began', stripeEvent('customer.created', customer, { created: -1 }), 'created must'],
    ['after all time', stripeEvent('customer.created', customer, { created: 4_102_444_801 }), 'created must'],
    ['in half a second', stripeEvent('customer.created', customer, { created: 0.5 }), 'created must'],
    ['at no time', { ...stripeEvent('customer.created', customer), created: null }, 'created must'],
    ['about nothing', { ...stripeEvent('customer.created', customer), data: {} }, 'data.object must'],
    ['about a list', stripeEvent('customer.created', []), 'data.object must'],
    ['about a customer without an id', stripeEvent('customer.created', {}), 'data.object.id'],
    [
      'about a subscription without an id',
      stripeEvent('customer.subscription.updated', sub({ id: '' })),
      'data.object.id',
    ],
    [
      'about a subscription without a status',
      stripeEvent('customer.subscription.updated', sub({ status: null })),
      'data.object.status',
    ],
    [
      'about a subscription of no status',
      stripeEvent('customer.subscription.updated', sub({ status: '' })),
      'data.object.status',
    ],
    [
      'about a subscription without items',
      stripeEvent('customer.subscription.updated', sub({ items: null })),
      'data.object.items',
    ],
    [
      'about a subscription of no list of items',
      stripeEvent('customer.subscription.updated', sub({ items: { data: {} } })),
      'data.object.items',
    ],
    ['about an invoice without an id', stripeEvent('invoice.paid', invoice({ id: null })), 'data.object.id'],
    [
      'about an invoice without a status',
      stripeEvent('invoice.paid', invoice({ status: null })),
      'data.object.status',
    ],
    ['about a session without an id', stripeEvent('checkout.session.completed', {}), 'data.object.id'],
    [
      'that was deeper before than can be hashed',
      stripeEvent('customer.subscription.updated', sub(), {
        previous: JSON.parse(`{"metadata":${'['.repeat(250)}${']'.repeat(250)}}`),
      }),
      'previous_attributes',
    ],
  ])('%s is malformed', (_, body, problem) => {
    const translation = translated(body);
    expect(translation).toMatchObject({ outcome: 'malformed' });
    expect('problems' in translation ? translation.problems.join() : '').toContain(problem);
  });

  it('is malformed in all its faults at once', () => {
    const body = stripeEvent('customer.subscription.updated', {}, {});
    expect(translated(body)).toMatchObject({
      problems: [expect.any(String), expect.any(String), expect.any(String)],
    });
    expect(translated({})).toMatchObject({ problems: [expect.any(String), expect.any(String)] });
  });
});

describe('any JSON', () => {
  const anything = (): fc.Arbitrary<unknown> => fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 });

  /** Translates twice; what is recorded must fit its type's schema and be sealable. */
  function translates(body: unknown): void {
    const text = JSON.stringify(body);
    const first = translated(JSON.parse(text));
    expect(translated(body)).toEqual(first);
    expect(JSON.stringify(body)).toBe(text);
    if (first.outcome !== 'recorded') return;
    const { event, stream, stripe } = first;
    expect(EVENT_TYPES[event.type].event.parse(event)).toEqual(event);
    const origin = { actor: 'stripe', correlationId: 'r', causation: stripe.eventId, stripe };
    const sealed = sealEvent({
      ...event,
      stream: `tenure.${stream.category}-${stream.id}`,
      revision: 0,
      prevHash: GENESIS_HASH,
      metadataWithoutHashes: metadataOf(origin, 0, 1),
      idKey: stripe.eventId,
    });
    expect(JSON.parse(sealed.data)).toEqual(event.data);
  }

  it('is translated or called malformed, never thrown at, and always alike', () => {
    fc.assert(fc.property(anything(), translates), { numRuns: 300 });
  });

  /** The value with what is at one place in it, chosen by `turns`, put in place of. */
  function bent(value: unknown, turns: readonly number[], put: unknown): unknown {
    const [turn, ...rest] = turns;
    if (turn === undefined || typeof value !== 'object' || value === null) return put;
    const keys = Object.keys(value);
    const key = keys[turn % Math.max(keys.length, 1)];
    if (key === undefined) return put;
    const inner = bent(Reflect.get(value, key), rest, put);
    return Array.isArray(value)
      ? value.map((one, index) => (String(index) === key ? inner : one))
      : { ...value, [key]: inner };
  }

  it('that is a known event bent at up to four places is translated or called malformed, never thrown at', () => {
    const known = RECORDED.map(([type, object]) =>
      stripeEvent(type, object, {
        created: 1_790_000_000,
        previous: { status: 'past_due', cancel_at: null, items: { data: [{ price: { id: 'price_pro' } }] } },
      }),
    );
    const bend = fc.tuple(fc.array(fc.nat(12), { minLength: 1, maxLength: 7 }), anything());
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.array(bend, { maxLength: 4 }), (event, bends) => {
        translates(bends.reduce<unknown>((body, [turns, put]) => bent(body, turns, put), event));
      }),
      { numRuns: 1_000 },
    );
  });
});
