import {
  itemObject,
  stripeEvent,
  subscriptionObject,
  subscriptionObject2020,
} from '../../../test/support/stripe-events.js';
import { eventOf, observationOf } from '../../../test/support/translated.js';
import { canonicalJson, sha256Hex } from '../../events/canonical-json.js';
import type { PreviousAttributes, SubscriptionObservationData } from '../../events/subscription.events.js';

/** What is seen of a subscription in an update, of which `previous` is said. */
function seen(object: object, previous?: object): SubscriptionObservationData {
  const options = previous === undefined ? {} : { previous };
  return observationOf(stripeEvent('customer.subscription.updated', object, options));
}

const PERIOD = { current_period_start: 1_790_000_000, current_period_end: 1_792_592_000 };
const ITEM = {
  id: 'si_price_plus',
  price: 'price_plus',
  lookupKey: null,
  product: 'prod_price_plus',
  quantity: 1,
  unitAmount: '1000',
  currency: 'usd',
  usageType: 'licensed',
  billingScheme: 'per_unit',
  currentPeriodStart: 1_790_000_000,
  currentPeriodEnd: 1_792_592_000,
};
const plus = (more: object = {}) => itemObject('price_plus', { ...PERIOD, ...more });
const listOf = (...data: unknown[]) => ({ items: { object: 'list', data, has_more: false } });
const sub = (more: object = {}) => subscriptionObject('sub_1', 'price_plus', { ...listOf(plus()), ...more });

describe('A subscription', () => {
  it('is translated with all that is read of it', () => {
    const object = sub({
      start_date: 1_789_000_000,
      created: 1_788_000_000,
      canceled_at: 1_790_000_001,
      ended_at: 1_790_000_002,
      trial_start: 1_789_000_003,
      trial_end: 1_789_000_004,
      cancel_at: 1_792_000_005,
      cancel_at_period_end: true,
      pause_collection: { behavior: 'keep_as_draft', resumes_at: 1_791_000_000 },
      collection_method: 'send_invoice',
      latest_invoice: { id: 'in_1', object: 'invoice' },
      test_clock: 'clock_1',
      cancellation_details: { reason: 'payment_failed', comment: 'never kept' },
      metadata: { user_id: 'u1', note: 'never kept' },
      default_payment_method: 'never kept',
    });
    expect(seen(object)).toEqual({
      subscription: 'sub_1',
      customer: 'cus_sub_1',
      status: 'active',
      startedAt: 1_789_000_000,
      items: [ITEM],
      itemsTruncated: false,
      cancelAt: 1_792_000_005,
      cancelAtPeriodEnd: true,
      canceledAt: 1_790_000_001,
      endedAt: 1_790_000_002,
      trialStart: 1_789_000_003,
      trialEnd: 1_789_000_004,
      pauseCollection: { behavior: 'keep_as_draft', resumesAt: 1_791_000_000 },
      collectionMethod: 'send_invoice',
      pendingUpdate: null,
      latestInvoice: 'in_1',
      testClock: 'clock_1',
      cancellationReason: 'payment_failed',
      userId: 'u1',
      previous: null,
    });
  });

  it('needs no more than its id, its status and its items', () => {
    expect(seen({ id: 'sub_1', status: 'odd', items: { data: [] } })).toEqual({
      subscription: 'sub_1',
      customer: null,
      status: 'odd',
      startedAt: null,
      items: [],
      itemsTruncated: false,
      cancelAt: null,
      cancelAtPeriodEnd: false,
      canceledAt: null,
      endedAt: null,
      trialStart: null,
      trialEnd: null,
      pauseCollection: null,
      collectionMethod: null,
      pendingUpdate: null,
      latestInvoice: null,
      testClock: null,
      cancellationReason: null,
      userId: null,
      previous: null,
    });
  });

  it.each<[string, object]>([
    ['of today, the period on its items', sub()],
    [
      'of 2020, the period on itself and a plan for a price',
      subscriptionObject2020('sub_1', 'price_plus', PERIOD),
    ],
    ['with both periods: the item’s own counts', sub({ current_period_start: 1, current_period_end: 2 })],
    [
      'with both a price and a plan: the price counts',
      sub(listOf(plus({ plan: { id: 'plan_old', amount: 5 } }))),
    ],
    [
      'with an expanded product',
      sub(listOf(plus({ price: { ...priceOf(), product: { id: 'prod_price_plus' } } }))),
    ],
    [
      'with amounts only as numbers',
      sub(listOf(plus({ price: { ...priceOf(), unit_amount_decimal: null } }))),
    ],
  ])('%s has the same item', (_, object) => {
    expect(seen(object).items).toEqual([ITEM]);
  });

  function priceOf(): object {
    return Reflect.get(itemObject('price_plus'), 'price');
  }

  it.each<[string, object, string | null]>([
    ['a decimal string', { unit_amount_decimal: '0.125', unit_amount: 0 }, '0.125'],
    ['a decimal that is a number', { unit_amount_decimal: 12.5 }, '12.5'],
    ['only a whole number', { unit_amount: 0 }, '0'],
    ['an empty decimal', { unit_amount_decimal: '', unit_amount: 7 }, '7'],
    ['none, as with tiers', { unit_amount: null, unit_amount_decimal: null, billing_scheme: 'tiered' }, null],
  ])('takes the amount of a price from %s', (_, amounts, unitAmount) => {
    const [item] = seen(sub(listOf({ id: 'si_1', price: { id: 'price_1', ...amounts } }))).items;
    expect(item?.unitAmount).toBe(unitAmount);
  });

  it.each<[string, unknown, object]>([
    [
      'a price that is only an id',
      { price: 'price_1', quantity: 3 },
      { price: 'price_1', quantity: 3, product: null },
    ],
    [
      'no quantity, as metered ones',
      { price: { id: 'price_1', recurring: { usage_type: 'metered' } } },
      { quantity: null, usageType: 'metered' },
    ],
    ['a lookup key', { price: { id: 'price_1', lookup_key: 'pro' } }, { lookupKey: 'pro' }],
    ['a plan of an id', { plan: 'plan_1' }, { price: 'plan_1', unitAmount: null }],
    [
      'fields of other kinds',
      { price: { id: 'price_1', currency: 7 }, quantity: '2', id: 4, current_period_end: '1.5' },
      { id: null, quantity: null, currency: null, currentPeriodEnd: null },
    ],
  ])('has an item with %s', (_, item, expected) => {
    expect(seen(sub(listOf(item))).items).toEqual([expect.objectContaining(expected)]);
  });

  it.each([[null], ['si_1'], [{}], [{ price: null, plan: null }], [[]]])(
    'has no item where one is %j',
    (item) => {
      expect(seen(sub(listOf(item, plus()))).items).toEqual([ITEM]);
    },
  );

  it('says that its items were cut', () => {
    expect(seen(sub({ items: { data: [plus()], has_more: true } })).itemsTruncated).toBe(true);
  });

  it.each<[string, unknown, string | null]>([
    ['an id', 'cus_1', 'cus_1'],
    ['an object', { id: 'cus_1', object: 'customer', email: 'never kept' }, 'cus_1'],
    ['a deleted object', { id: 'cus_1', object: 'customer', deleted: true }, 'cus_1'],
    ['null', null, null],
    ['nothing sane', ['cus_1'], null],
    ['an id with a space', 'cus 1', null],
  ])('may have a customer that is %s', (_, customer, expected) => {
    expect(seen(sub({ customer })).customer).toBe(expected);
  });

  it.each<[string, unknown, string, string]>([
    ['canceled where its customer is shown deleted', { id: 'cus_1', deleted: true }, 'past_due', 'canceled'],
    [
      'as it is where it had ended before',
      { id: 'cus_1', deleted: true },
      'incomplete_expired',
      'incomplete_expired',
    ],
    ['as it is beside a customer shown as it lives', { id: 'cus_1', deleted: false }, 'past_due', 'past_due'],
    ['as it is beside the id of a customer', 'cus_1', 'past_due', 'past_due'],
  ])('has a status that is %s', (_, customer, status, expected) => {
    expect(seen(sub({ customer, status })).status).toBe(expected);
  });

  it('ends with its customer by the name of its event, too', () => {
    const object = sub({ customer: { id: 'cus_1', deleted: true } });
    expect(eventOf(stripeEvent('customer.subscription.updated', object)).type).toBe('SubscriptionCanceled');
  });

  it.each<[string, object, number | null, boolean]>([
    ['cancel_at_period_end alone', { cancel_at_period_end: true }, null, true],
    ['cancel_at alone, as with flexible billing', { cancel_at: 1_792_592_000 }, 1_792_592_000, false],
    ['neither', {}, null, false],
    ['a cancel_at that is no second', { cancel_at: 'min_period_end' }, null, false],
  ])('ends by %s', (_, more, cancelAt, cancelAtPeriodEnd) => {
    expect(seen(sub(more))).toMatchObject({ cancelAt, cancelAtPeriodEnd });
  });

  it.each<[unknown, string | null]>([
    [{ user_id: 'u1' }, 'u1'],
    [{ user_id: ' u1 ' }, ' u1 '],
    [{ user_id: '' }, null],
    [{ user_id: 7 }, null],
    [{ user_id: 'x'.repeat(256) }, null],
    [{ user_id: 'a\nb' }, null],
    [{ userId: 'u1' }, null],
    [null, null],
  ])('with metadata %j claims %j', (metadata, userId) => {
    expect(seen(sub({ metadata })).userId).toBe(userId);
  });

  it.each<[string, unknown, object | null]>([
    ['null', null, null],
    [
      'a change of items',
      { expires_at: 1_791_000_000, subscription_items: [plus()] },
      { expiresAt: 1_791_000_000, items: [ITEM] },
    ],
    [
      'a change that names no items',
      { expires_at: 1_791_000_000, trial_end: 5 },
      { expiresAt: 1_791_000_000, items: null },
    ],
  ])('holds back %s', (_, pending, expected) => {
    expect(seen(sub({ pending_update: pending })).pendingUpdate).toEqual(expected);
  });
});

describe('what a subscription was before', () => {
  it('is named, told apart by a digest, and kept only where it bears on access', () => {
    const previous = {
      status: 'active',
      trial_end: null,
      cancel_at: 5,
      latest_invoice: 'in_0',
      metadata: { secret: 'x' },
    };
    expect(seen(sub(), previous).previous).toEqual({
      names: ['cancel_at', 'latest_invoice', 'metadata', 'status', 'trial_end'],
      digest: sha256Hex(canonicalJson(previous)),
      status: 'active',
      trialEnd: null,
      cancelAt: 5,
    });
  });

  it('is null where an event says nothing of it', () => {
    expect(seen(sub()).previous).toBeNull();
    expect(seen(sub(), ['status']).previous).toBeNull();
  });

  const twice = { ...ITEM, quantity: 2 };
  const planOf2020 = { id: 'price_old', amount: 900, amount_decimal: '900', product: 'prod_old' };
  const old = { ...ITEM, price: 'price_old', product: 'prod_old', unitAmount: '900' };
  const of2020 = subscriptionObject2020('sub_1', 'price_plus', PERIOD);
  it.each<[string, object, object, Partial<PreviousAttributes>]>([
    ['nothing of it', {}, sub(), {}],
    [
      'no cancellation',
      { cancel_at: null, cancel_at_period_end: false },
      sub(),
      { cancelAt: null, cancelAtPeriodEnd: false },
    ],
    [
      'a pause',
      { pause_collection: { behavior: 'void' } },
      sub(),
      { pauseCollection: { behavior: 'void', resumesAt: null } },
    ],
    ['no pause', { pause_collection: null }, sub(), { pauseCollection: null }],
    ['items as a list object', { items: { data: [plus({ quantity: 2 })] } }, sub(), { items: [twice] }],
    ['items as a plain list', { items: [plus({ quantity: 2 })] }, sub(), { items: [twice] }],
    ['no items', { items: { data: [] } }, sub(), { items: [] }],
    ['the plan of a single item (2020)', { plan: planOf2020 }, of2020, { items: [{ ...old, quantity: 1 }] }],
    [
      'the amount and kind of the plan of a single item (2020)',
      { plan: { amount: 7, currency: 'eur', usage_type: 'metered', billing_scheme: 'tiered' } },
      of2020,
      {
        items: [{ ...ITEM, unitAmount: '7', currency: 'eur', usageType: 'metered', billingScheme: 'tiered' }],
      },
    ],
    [
      'the id of the plan of a single item (2020)',
      { plan: { id: 'price_old' } },
      of2020,
      { items: [{ ...ITEM, price: 'price_old' }] },
    ],
    ['the quantity of a single item (2020)', { quantity: 2 }, of2020, { items: [twice] }],
    [
      'another period of the plan (2020)',
      { plan: planOf2020, current_period_start: 1, current_period_end: 2 },
      of2020,
      { items: [{ ...old, currentPeriodStart: 1, currentPeriodEnd: 2 }] },
    ],
    ['a quantity that is of none of several items', { quantity: 2 }, sub(listOf(plus(), plus())), {}],
  ])('is read where it is %s', (_, previous, object, expected) => {
    const { names, digest: _digest, ...rest } = seen(object, previous).previous ?? { names: null };
    expect(names).toEqual(Object.keys(previous).sort());
    expect(rest).toEqual(expected);
  });
});
