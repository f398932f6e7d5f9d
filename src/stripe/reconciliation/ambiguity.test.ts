import fc from 'fast-check';
import {
  attached,
  day,
  dispute,
  invoice,
  item,
  type PurchaseStory,
  purchase,
  refunded,
  refundFailed,
  type SaleTold,
  type SubscriptionStory,
  sale,
  seen,
  started,
  subscription,
} from '../../../test/support/policy-stories.js';
import type { Observation } from '../../policy/facts.js';
import {
  type Ambiguity,
  ambiguityOf,
  ambiguityOfCheckout,
  ambiguityOfCustomer,
  ambiguityOfInvoice,
  ambiguityOfPayment,
} from './ambiguity.js';

const plus = item('plus_m');
const pro = item('pro_m');
const begun = seen('created', day(0), { items: [plus] });
/** Says that it changed, and not from what: no order tells which is last. */
const toPro = seen('updated', day(1), { items: [pro], previous: {}, id: 'evt_b' });
const toPastDue = seen('updated', day(1), { items: [plus], status: 'past_due', previous: {}, id: 'evt_a' });
const cut = seen('updated', day(1), { items: [plus], itemsTruncated: true, id: 'evt_cut' });

function retrieved(second: number, more: Parameters<typeof seen>[2]): SubscriptionStory[number] {
  const told = seen('', second, more);
  if (told.kind !== 'observation') throw new Error('not an observation');
  return { ...told, fact: { ...told.fact, type: 'SubscriptionRetrieved', stripeType: '' } };
}

function observationsOf(story: SubscriptionStory): readonly Observation[] {
  return subscription(story).observations;
}

describe('a subscription is in doubt', () => {
  it.each<[string, SubscriptionStory, string | null, Ambiguity | null]>([
    [
      'when a completed checkout names it and nothing was seen of it',
      [],
      'evt_cs',
      { why: 'evt_cs', after: -1 },
    ],
    [
      'when a completed checkout names it and it was incomplete yet',
      [seen('created', day(0), { items: [plus], status: 'incomplete' })],
      'evt_cs',
      { why: 'evt_cs', after: day(0) },
    ],
    [
      'when its newest second leaves more than one end',
      [begun, toPro, toPastDue],
      null,
      { why: 'evt_b', after: day(1) },
    ],
    ['when what is newest of it was cut', [begun, cut], null, { why: 'evt_cut', after: day(1) }],
    [
      'though Stripe was asked in that very second: an answer loses ties',
      [begun, toPro, toPastDue, retrieved(day(1), { items: [pro] })],
      null,
      { why: 'evt_b', after: day(1) },
    ],
    [
      'when Stripe was asked twice in one second and answered differently',
      [
        begun,
        retrieved(day(1), { items: [plus], id: 'retrieved/sub_1/evt_d' }),
        retrieved(day(1), { items: [pro], id: 'retrieved/sub_1/evt_c' }),
      ],
      null,
      { why: 'evt_d', after: day(1) },
    ],
  ])('%s', (_, story, session, ambiguity) => {
    expect(ambiguityOf(observationsOf(story), session)).toEqual(ambiguity);
  });
});

describe('a subscription is in no doubt', () => {
  it.each<[string, SubscriptionStory, string | null]>([
    ['when nothing was seen of it and nothing names it', [], null],
    ['when a checkout names it and something was seen of it', [begun], 'cs_1'],
    [
      'when the order of its newest second tells itself',
      [
        begun,
        seen('updated', day(1), { items: [pro], previous: { items: [plus] } }),
        seen('updated', day(1), {
          items: [pro],
          cancelAtPeriodEnd: true,
          previous: { cancelAtPeriodEnd: false },
        }),
      ],
      null,
    ],
    [
      'when all orders of its newest second end alike',
      [begun, ...[1, 2].map((n) => seen('updated', day(1), { items: [pro], previous: { trialEnd: n } }))],
      null,
    ],
    [
      'when something later was seen',
      [begun, toPro, toPastDue, seen('updated', day(2), { items: [plus] })],
      null,
    ],
    ['when Stripe was asked later', [begun, toPro, toPastDue, retrieved(day(1) + 1, { items: [pro] })], null],
    [
      'when whole items were seen after cut ones',
      [begun, cut, retrieved(day(1) + 1, { items: [pro] })],
      null,
    ],
    [
      'when Stripe itself gave its items cut',
      [begun, cut, retrieved(day(1) + 1, { items: [pro], itemsTruncated: true })],
      null,
    ],
    [
      'when Stripe was asked twice in one second and answered alike',
      [begun, retrieved(day(1), { items: [pro] }), retrieved(day(1), { items: [pro] })],
      null,
    ],
    ['when it has ended', [begun, toPro, toPastDue, seen('deleted', day(1), { status: 'canceled' })], null],
    [
      'when it has ended before',
      [begun, seen('deleted', day(0), { status: 'canceled' }), toPro, toPastDue],
      null,
    ],
  ])('%s', (_, story, session) => {
    expect(ambiguityOf(observationsOf(story), session)).toBeNull();
  });
});

it('is judged from the set of observations, whatever their order and repeats', () => {
  const all = observationsOf([begun, toPro, toPastDue, cut]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...all)), (more) => {
      const shuffled = [...more, ...all];
      expect(ambiguityOf(shuffled, null)).toEqual(ambiguityOf(all, null));
    }),
  );
});

describe('an invoice', () => {
  const whole = invoice('paid', day(2), {});
  const short = invoice('paid', day(1), { linesTruncated: true });
  const answer = (second: number, more: object = {}) => {
    const told = invoice('paid', second, more);
    if (told.kind !== 'invoice') throw new Error('no invoice');
    return { ...told, fact: { ...told.fact, type: 'SubscriptionInvoiceRetrieved' as const, stripeType: '' } };
  };
  const idOf = (told: typeof short) => (told.kind === 'invoice' ? told.fact.eventId : '');
  it.each<[string, (typeof short)[], number | null]>([
    ['is in doubt when what decides of it was cut', [short], day(1)],
    ['is in doubt though Stripe was asked in that very second', [short, answer(day(1))], day(1)],
    ['is in no doubt when Stripe was asked later', [short, answer(day(1) + 1)], null],
    [
      'is in no doubt when Stripe itself gave it cut',
      [short, answer(day(1) + 1, { linesTruncated: true })],
      null,
    ],
    ['is in no doubt when it came whole later', [short, whole], null],
    ['is in no doubt when it is void', [invoice('voided', day(1), { linesTruncated: true })], null],
    ['is in no doubt when nothing was told of it', [], null],
  ])('%s', (_, told, after) => {
    const facts = told.map((each) => {
      if (each.kind !== 'invoice') throw new Error('no invoice');
      return each.fact;
    });
    const expected = after === null ? null : { why: idOf(short), after };
    expect(ambiguityOfInvoice(facts)).toEqual(expected);
  });
});

describe('a customer', () => {
  const told = (second: number, userId: string | null, stripeType = 'customer.updated') => ({
    eventId: `evt_${second}_${userId}_${stripeType}`,
    stripeType,
    created: second,
    userId,
  });
  it.each<[string, ReturnType<typeof told>[], Ambiguity | null]>([
    [
      'is in doubt when its newest second names two users',
      [told(5, 'ada'), told(5, 'bob')],
      { why: 'evt_5_bob_customer.updated', after: 5 },
    ],
    [
      'is in no doubt where it was created in that second: that was first',
      [told(5, 'ada', 'customer.created'), told(5, 'bob')],
      null,
    ],
    ['is in no doubt where both name one', [told(5, 'ada'), { ...told(5, 'ada'), eventId: 'evt_x' }], null],
    ['is in no doubt where one of them names nobody', [told(5, 'ada'), told(5, null)], null],
    ['is in no doubt when it was told later', [told(5, 'ada'), told(5, 'bob'), told(6, 'ada')], null],
    [
      'is in no doubt when Stripe was asked later',
      [told(5, 'ada'), told(5, 'bob'), told(6, 'bob', '')],
      null,
    ],
    [
      'is in doubt though Stripe was asked in that second',
      [told(5, 'ada'), told(5, 'bob'), told(5, 'ada', '')],
      { why: 'evt_5_bob_customer.updated', after: 5 },
    ],
    [
      'is in no doubt once it is deleted',
      [told(5, 'ada'), told(5, 'bob'), told(9, null, 'customer.deleted')],
      null,
    ],
    ['is in no doubt while nothing was told of it', [], null],
  ])('%s', (_, observations, expected) => {
    expect(ambiguityOfCustomer(observations)).toEqual(expected);
  });
});

describe('a session of mode payment', () => {
  const paid = sale('CheckoutCompleted', day(0), null);
  const listed = sale('CheckoutRetrieved', day(1), { pro_once: 1 });
  const pending = sale('CheckoutCompleted', day(0), null, { paymentStatus: 'unpaid' });
  const other = sale('CheckoutCompleted', day(0), null, { mode: 'subscription' });
  it.each<[string, PurchaseStory, SaleTold | null]>([
    ['is in doubt where it was paid, and nothing tells what it sold', [paid], paid],
    ['is in no doubt once its line items are known', [paid, listed], null],
    ['is in no doubt where Tenure started it', [paid, started('pro_once', 1, day(0))], null],
    ['is in no doubt while it is not paid', [pending], null],
    ['is in no doubt where it sold a subscription', [other], null],
  ])('%s', (_, story, by) => {
    const expected = by === null ? null : { why: by.fact.eventId, after: -1 };
    expect(ambiguityOfCheckout(purchase(story))).toEqual(expected);
  });
});

describe('a payment is in doubt', () => {
  const doubt = (why: string): Ambiguity => ({ why, after: -1 });
  const named = dispute('created', 'lost', day(1));
  const byOldVersion = {
    ...named,
    fact: { ...named.fact, data: { ...named.fact.data, invoice: 'in_1' } },
  } as typeof named;
  const unsaid = { paymentIntent: null };
  it.each<[string, readonly ReturnType<typeof attached>[], boolean, string[]]>([
    ['when it was disputed and no invoice is named', [dispute('created', 'lost', day(1))], false, ['0']],
    [
      'by the greatest of the events that tell of it',
      [refunded(1000, day(1)), refundFailed('re_1', 1000, day(2))],
      false,
      ['0', '1'],
    ],
    ['not when nothing was refunded or disputed', [], false, []],
    [
      'not when an invoice was attached',
      [dispute('created', 'lost', day(1)), attached('in_1', day(0))],
      false,
      [],
    ],
    ['not when what tells of it names the invoice', [byOldVersion], false, []],
    ['not when Stripe was asked and named none', [dispute('created', 'lost', day(1))], true, []],
    ['not when it is a charge without an intent', [dispute('created', 'lost', day(1), unsaid)], false, []],
  ])('%s', (_, story, isOfNoInvoice, inDoubt) => {
    const payments = story.map(({ fact }) => fact);
    const ids = inDoubt.map((n) => payments[Number(n)]?.eventId ?? '').sort();
    const expected = ids.length === 0 ? null : doubt(ids.at(-1) ?? '');
    expect(ambiguityOfPayment({ payments, isOfNoInvoice })).toEqual(expected);
    expect(ambiguityOfPayment({ payments: [...payments].reverse(), isOfNoInvoice })).toEqual(expected);
  });
});
