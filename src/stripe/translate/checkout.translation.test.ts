import { checkoutObject, stripeEvent } from '../../../test/support/stripe-events.js';
import { dataOf } from '../../../test/support/translated.js';
import type { CheckoutObservationData } from '../../events/checkout.events.js';

function seen(object: object): CheckoutObservationData {
  return dataOf('CheckoutCompleted', stripeEvent('checkout.session.completed', object));
}

const bought = (more: object = {}): object =>
  checkoutObject('cs_1', { subscription: 'sub_1', userId: 'u1' }, { created: 1_790_000_000, ...more });

describe('A checkout session', () => {
  it('is translated with all that is read of it', () => {
    const object = bought({
      payment_intent: { id: 'pi_1', object: 'payment_intent' },
      metadata: { user_id: 'u2' },
      customer_details: { email: 'never kept' },
    });
    expect(seen(object)).toEqual({
      session: 'cs_1',
      customer: 'cus_sub_1',
      subscription: 'sub_1',
      invoice: 'in_cs_1',
      paymentIntent: 'pi_1',
      mode: 'subscription',
      status: 'complete',
      paymentStatus: 'paid',
      created: 1_790_000_000,
      metadataUserId: 'u2',
      clientReferenceId: 'u1',
      amountTotal: 1000,
      currency: 'usd',
      lineItems: null,
    });
  });

  it('needs no more than its id', () => {
    expect(seen({ id: 'cs_1' })).toEqual({
      session: 'cs_1',
      customer: null,
      subscription: null,
      invoice: null,
      paymentIntent: null,
      mode: null,
      status: null,
      paymentStatus: null,
      created: null,
      metadataUserId: null,
      clientReferenceId: null,
      amountTotal: null,
      currency: null,
      lineItems: null,
    });
  });

  it.each<[string, unknown, unknown]>([
    [
      'whole',
      {
        data: [
          { id: 'li_1', price: { id: 'price_1', lookup_key: 'pro_once', product: 'prod_1' }, quantity: 2 },
          { id: 'li_2', price: 'price_2' },
          { id: 'li_3', price: null, quantity: 1 },
        ],
        has_more: false,
      },
      [
        { price: 'price_1', lookupKey: 'pro_once', product: 'prod_1', quantity: 2 },
        { price: 'price_2', lookupKey: null, product: null, quantity: null },
      ],
    ],
    ['of nothing', { data: [], has_more: false }, []],
    ['that were cut', { data: [{ price: 'price_1' }], has_more: true }, null],
    ['that were not asked for', undefined, null],
  ])('has line items %s', (_, list, lineItems) => {
    expect(seen(bought({ line_items: list })).lineItems).toEqual(lineItems);
  });

  it.each<[string, object, string | null, string | null]>([
    ['in both places', { metadata: { user_id: 'm' }, client_reference_id: 'r' }, 'm', 'r'],
    ['as a reference alone', { metadata: {}, client_reference_id: 'r' }, null, 'r'],
    ['in its metadata alone', { metadata: { user_id: 'm' }, client_reference_id: null }, 'm', null],
    ['nowhere', { metadata: null, client_reference_id: null }, null, null],
    ['as what is no user id', { metadata: { user_id: '' }, client_reference_id: 'a\u0007' }, null, null],
  ])('claims a user %s', (_, more, metadataUserId, clientReferenceId) => {
    expect(seen(bought(more))).toMatchObject({ metadataUserId, clientReferenceId });
  });

  it.each<[string, object]>([
    ['a payment', { mode: 'payment', subscription: null }],
    ['a setup', { mode: 'setup', subscription: null, payment_status: 'no_payment_required' }],
    ['a session of no customer', { customer: null }],
  ])('may be %s', (_, more) => {
    expect(seen(bought(more))).toMatchObject({ session: 'cs_1' });
  });
});
