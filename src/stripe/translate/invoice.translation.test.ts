import { invoiceObject, invoiceObject2020, stripeEvent } from '../../../test/support/stripe-events.js';
import { dataOf, translated } from '../../../test/support/translated.js';
import {
  type InvoiceLine,
  type InvoiceObservationData,
  invoiceOfSubscription,
  subscriptionsOfLines,
} from '../../events/invoice.events.js';

const PERIOD = { start: 1_790_000_000, end: 1_792_592_000 };

function seen(object: object): InvoiceObservationData {
  return dataOf('SubscriptionPaid', stripeEvent('invoice.paid', object, { created: 1_790_000_100 }));
}

/** The one line of an invoice of the subscription `sub_1`. */
function lineOf(line: unknown): InvoiceLine | undefined {
  return seen(invoiceObject('in_1', 'sub_1', 'price_plus', { lines: { data: [line] } })).lines[0];
}

describe('An invoice', () => {
  it('is translated with all that is read of it', () => {
    const line = {
      id: 'il_1',
      amount: 0,
      subtotal: 1000,
      discount_amounts: [{ amount: 600, discount: 'di_1' }, { amount: 300 }],
      pretax_credit_amounts: [{ amount: 100, type: 'credit_balance_transaction' }],
      period: PERIOD,
      pricing: { type: 'price_details', price_details: { price: 'price_plus', product: 'prod_plus' } },
      parent: { subscription_item_details: { proration: true, subscription: 'sub_1' } },
      quantity: 2,
      description: 'never kept',
    };
    const object = invoiceObject('in_1', 'sub_1', 'price_plus', {
      status: 'uncollectible',
      created: 1_790_000_050,
      collection_method: 'charge_automatically',
      attempt_count: 3,
      status_details: { uncollectible: { reason: 'max_payment_attempts' } },
      currency: 'eur',
      total: 0,
      amount_due: 5,
      amount_paid: 6,
      customer_email: 'never kept',
      lines: { data: [line], has_more: true },
    });
    expect(seen(object)).toEqual({
      invoice: 'in_1',
      subscription: 'sub_1',
      customer: 'cus_sub_1',
      status: 'uncollectible',
      created: 1_790_000_050,
      billingReason: 'subscription_create',
      collectionMethod: 'charge_automatically',
      attemptCount: 3,
      uncollectibleReason: 'max_payment_attempts',
      paymentIntent: null,
      charge: null,
      currency: 'eur',
      total: 0,
      amountDue: 5,
      amountPaid: 6,
      lines: [
        {
          id: 'il_1',
          price: 'price_plus',
          product: 'prod_plus',
          subscription: 'sub_1',
          billingScheme: null,
          amount: 0,
          subtotal: 1000,
          discounts: 900,
          credits: 100,
          reduced: true,
          proration: true,
          quantity: 2,
          periodStart: PERIOD.start,
          periodEnd: PERIOD.end,
        },
      ],
      linesTruncated: true,
    });
  });

  it('needs no more than its id, its status and its subscription', () => {
    expect(seen({ id: 'in_1', status: 'open', subscription: 'sub_1' })).toEqual({
      invoice: 'in_1',
      subscription: 'sub_1',
      customer: null,
      status: 'open',
      created: 1_790_000_100,
      billingReason: null,
      collectionMethod: null,
      attemptCount: 0,
      uncollectibleReason: null,
      paymentIntent: null,
      charge: null,
      currency: null,
      total: null,
      amountDue: null,
      amountPaid: null,
      lines: [],
      linesTruncated: false,
    });
  });

  it.each<[string, object]>([
    ['of today, under its parent', invoiceObject('in_1', 'sub_1', 'price_plus')],
    ['of 2020, on top', invoiceObject2020('in_1', 'sub_1', 'price_plus')],
    ['expanded', { id: 'in_1', status: 'paid', subscription: { id: 'sub_1', object: 'subscription' } }],
    [
      'expanded under its parent',
      {
        id: 'in_1',
        status: 'paid',
        subscription: null,
        parent: { subscription_details: { subscription: { id: 'sub_1' } } },
      },
    ],
  ])('names its subscription %s', (_, object) => {
    expect(seen(object)).toMatchObject({ invoice: 'in_1', subscription: 'sub_1' });
  });

  it.each<[string, object]>([
    ['nothing', {}],
    ['null', { subscription: null, parent: null }],
    ['a quote', { parent: { type: 'quote_details', quote_details: { quote: 'qt_1' } } }],
  ])('of no subscription, but of %s, is ignored', (_, more) => {
    const body = stripeEvent('invoice.paid', { id: 'in_1', status: 'paid', ...more });
    expect(translated(body)).toEqual({ outcome: 'ignored', reason: 'no_subscription', livemode: false });
  });
});

describe('a line of an invoice', () => {
  it.each<[string, unknown, string | null, string | null]>([
    ['price, an object', { price: { id: 'price_1', product: 'prod_1' } }, 'price_1', 'prod_1'],
    ['price, an id', { price: 'price_1' }, 'price_1', null],
    ['plan', { plan: { id: 'plan_1', product: 'prod_1' } }, 'plan_1', 'prod_1'],
    ['price before plan', { price: { id: 'price_1' }, plan: { id: 'plan_1' } }, 'price_1', null],
    ['pricing', { pricing: { price_details: { price: 'price_1', product: 'prod_1' } } }, 'price_1', 'prod_1'],
    [
      'pricing, expanded',
      { pricing: { price_details: { price: { id: 'price_1' }, product: { id: 'prod_1' } } } },
      'price_1',
      'prod_1',
    ],
    ['nothing', { price: null, pricing: null }, null, null],
  ])('has its price from %s', (_, line, price, product) => {
    expect(lineOf(line)).toMatchObject({ price, product });
  });

  it.each<[string, unknown, boolean]>([
    ['on itself', { proration: true }, true],
    ['on itself, that it is none', { proration: false }, false],
    ['under its subscription item', { parent: { subscription_item_details: { proration: true } } }, true],
    ['under its invoice item', { parent: { invoice_item_details: { proration: true } } }, true],
    ['nowhere', {}, false],
    ['as a text', { proration: 'true' }, false],
  ])('has its mark of proration %s', (_, line, proration) => {
    expect(lineOf(line)?.proration).toBe(proration);
  });

  it.each<[string, unknown, Partial<InvoiceLine>]>([
    [
      'nothing at all',
      null,
      { id: null, amount: 0, subtotal: null, discounts: 0, credits: 0, periodEnd: null },
    ],
    ['no subtotal, as in old versions', { amount: -500 }, { amount: -500, subtotal: null }],
    [
      'amounts as texts',
      { amount: '5', subtotal: '5', quantity: '1' },
      { amount: 0, subtotal: null, quantity: null },
    ],
    [
      'discounts of other kinds',
      { discount_amounts: [null, 7, { amount: '9' }, { amount: 2 }] },
      { discounts: 2 },
    ],
    [
      'discounts beyond all numbers',
      { discount_amounts: [{ amount: 1.7e308 }, { amount: 1.7e308 }] },
      { discounts: 0 },
    ],
    [
      'a period of other kinds',
      { period: { start: '1', end: null } },
      { periodStart: null, periodEnd: null },
    ],
  ])('may have %s', (_, line, expected) => {
    expect(lineOf(line)).toMatchObject(expected);
  });

  it.each<[string, object]>([
    ['2020', { subscription: 'sub_2' }],
    ['an item of a subscription', { parent: { subscription_item_details: { subscription: 'sub_2' } } }],
    ['an item of the invoice', { parent: { invoice_item_details: { subscription: 'sub_2' } } }],
  ])('names its subscription as in %s', (_, line) => {
    expect(lineOf(line)?.subscription).toBe('sub_2');
  });

  it.each<[string, object, boolean]>([
    ['nothing', {}, false],
    ['a discount', { discount_amounts: [{ amount: 300 }] }, true],
    ['a discount without its amount', { discounts: ['di_1'] }, true],
    ['no discount', { discounts: [], discount_amounts: [], pretax_credit_amounts: [] }, false],
    ['a discount of nothing', { discount_amounts: [{ amount: 0 }] }, true],
    ['a credit', { pretax_credit_amounts: [{ amount: 300 }] }, true],
  ])('says whether it lists %s', (_, line, reduced) => {
    expect(lineOf(line)?.reduced).toBe(reduced);
  });

  it.each<[string, object]>([
    ['its price', { price: { id: 'price_1', billing_scheme: 'tiered' } }],
    ['its plan', { plan: { id: 'price_1', billing_scheme: 'tiered' } }],
  ])('says how it is billed where it carries %s whole', (_, line) => {
    expect(lineOf(line)).toMatchObject({ price: 'price_1', billingScheme: 'tiered' });
  });

  it('has an invoice that was made for a customer be of the subscription it names', () => {
    const line = (id: string, subscription: string | null) => ({ id, subscription, amount: 5 });
    const data = dataOf(
      'CustomerInvoicePaid',
      stripeEvent('invoice.paid', {
        id: 'in_1',
        status: 'paid',
        customer: { id: 'cus_1', deleted: true },
        payment_intent: 'pi_1',
        charge: { id: 'ch_1' },
        lines: {
          data: [line('il_1', 'sub_b'), line('il_2', 'sub_a'), line('il_3', null), line('il_4', 'sub_b')],
        },
      }),
    );
    expect(data).toMatchObject({ customer: 'cus_1', paymentIntent: 'pi_1', charge: 'ch_1' });
    expect(subscriptionsOfLines(data)).toEqual(['sub_a', 'sub_b']);
    const own = invoiceOfSubscription(data, 'sub_b');
    expect(own.subscription).toBe('sub_b');
    expect(own.lines.map(({ id }) => id)).toEqual(['il_1', 'il_4']);
  });
});
