import {
  checkout,
  day,
  entitledBy,
  invoice,
  item,
  line,
  seen,
  type Told,
} from '../../test/support/policy-stories.js';
import { isCustomerDeleted } from './customer-sights.js';
import type { CheckoutObservation, InvoiceObservation } from './facts.js';
import { foldInvoices } from './invoices.js';
import { customerMetadata, subscriptionOwner } from './ownership.js';

const plus = item('plus_m');
const SECOND = day(3);

/** The same fact as an answer of Stripe's API. */
function asked(told: Told, more: object = {}): Told {
  if (told.kind === 'invoice') {
    return {
      ...told,
      fact: {
        ...told.fact,
        type: 'SubscriptionInvoiceRetrieved',
        stripeType: '',
        eventId: 'retrieved/in_1/evt_z',
      },
    };
  }
  if (told.kind === 'checkout') {
    const data = { ...told.fact.data, ...more };
    return { ...told, fact: { ...told.fact, type: 'CheckoutRetrieved', stripeType: '', data } };
  }
  throw new Error('not a fact of these tests');
}

function factOf(told: Told): InvoiceObservation {
  if (told.kind !== 'invoice') throw new Error('no invoice');
  return told.fact;
}

function sessionOf(told: Told): CheckoutObservation {
  if (told.kind !== 'checkout') throw new Error('no checkout');
  return told.fact;
}

describe('an invoice that Stripe was asked for', () => {
  const whole = { lines: [line('plus_m', 1000, day(0), day(30))] };
  const cut = { lines: [], linesTruncated: true };
  it.each<[string, Told, Told, boolean]>([
    [
      'stands after what was delivered in an earlier second',
      invoice('paid', SECOND - 1, cut),
      asked(invoice('paid', SECOND, whole)),
      true,
    ],
    [
      'stands before what was delivered in its second',
      invoice('paid', SECOND, cut),
      asked(invoice('paid', SECOND, whole)),
      false,
    ],
    [
      'stands before what was delivered later',
      invoice('paid', SECOND + 1, cut),
      asked(invoice('paid', SECOND, whole)),
      false,
    ],
    [
      'stands before a lesser status that was delivered in its second',
      invoice('open', SECOND, cut),
      asked(invoice('voided', SECOND, whole)),
      false,
    ],
    [
      'loses to one paid whenever',
      invoice('paid', SECOND - 1, cut),
      asked(invoice('voided', SECOND, whole)),
      false,
    ],
  ])('%s', (_, delivered, answer, isAnswer) => {
    for (const told of [
      [delivered, answer],
      [answer, delivered],
    ]) {
      const [folded] = foldInvoices(told.map(factOf));
      expect(folded?.told).toBe(factOf(isAnswer ? answer : delivered));
    }
  });
});

describe('a session that Stripe was asked for', () => {
  const bought = seen('created', day(0), { items: [plus] });
  it.each<[string, Told[], string]>([
    [
      'complete and unpaid lets the first period wait',
      [asked(checkout('CheckoutCompleted', day(0), 'unpaid'))],
      'free',
    ],
    [
      'open and unpaid changes nothing',
      [asked(checkout('CheckoutCompleted', day(0), 'unpaid'), { status: 'open' })],
      'plus',
    ],
    [
      'paid by now ends the wait',
      [checkout('CheckoutCompleted', day(0), 'unpaid'), asked(checkout('CheckoutCompleted', day(1), 'paid'))],
      'plus',
    ],
  ])('%s', (_, sessions, plan) => {
    expect(entitledBy([[bought, ...sessions]], day(2)).plan).toBe(plan);
  });

  it.each([
    ['claims', 'complete', 'ref'],
    ['claims while it is open', 'open', 'ref'],
    ['claims nothing once it expired', 'expired', null],
  ])('%s', (_, status, owner) => {
    const session = sessionOf(
      asked(checkout('CheckoutCompleted', day(0), 'paid'), { status, clientReferenceId: 'ref' }),
    );
    const claims = { link: null, observations: [], checkouts: [session] };
    expect(subscriptionOwner(claims, { link: null, metadata: null, owner: null })).toBe(owner);
  });
});

describe('a customer that Stripe was asked for', () => {
  const told = (stripeType: string, userId: string | null, eventId = 'evt_c') => ({
    eventId,
    stripeType,
    created: SECOND,
    userId,
  });

  it('stands before what was delivered in its second', () => {
    expect(customerMetadata([told('', 'asked', 'retrieved/cus_1/z'), told('customer.created', 'told')])).toBe(
      'told',
    );
  });

  it('shown deleted is deleted, and claims nothing', () => {
    const observations = [
      told('customer.updated', 'told'),
      told('customer.deleted', null, 'retrieved/cus_1/z'),
    ];
    expect([isCustomerDeleted(observations), customerMetadata(observations)]).toEqual([true, 'told']);
  });
});
