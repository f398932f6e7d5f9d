import { stripeEvent } from '../../../test/support/stripe-events.js';
import {
  chargeObject,
  disputeObject,
  fraudWarningObject,
  invoicePaymentObject,
  refundObject,
} from '../../../test/support/stripe-payments.js';
import { eventOf, TRANSLATION, translated } from '../../../test/support/translated.js';
import type { ObjectKind } from '../gateway/object-kind.js';
import { translateRetrieved } from './retrieved.translation.js';

/** The stream that an event goes to, and what it says. */
function recorded(type: string, object: object) {
  const translation = translated(stripeEvent(type, object));
  if (translation.outcome !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(translation)}`);
  return { stream: translation.stream.id, ...translation.event };
}

const named = { payment: 'pi_1', paymentIntent: 'pi_1', charge: 'ch_1', invoice: null };

describe('A Stripe event about a payment', () => {
  it('says which invoice was paid, and by which intent', () => {
    expect(recorded('invoice_payment.paid', invoicePaymentObject('inpay_1', 'in_1', 'pi_1'))).toEqual({
      stream: 'pi_1',
      type: 'PaymentAttachedToInvoice',
      data: {
        ...named,
        charge: null,
        invoice: 'in_1',
        invoicePayment: 'inpay_1',
        paymentRecord: null,
        status: 'paid',
        amountPaid: 1000,
        currency: 'usd',
      },
    });
  });

  it.each<[string, object, string, object]>([
    ['by a charge without an intent', { type: 'charge', charge: 'ch_1' }, 'ch_1', { charge: 'ch_1' }],
    [
      'by a payment record',
      { type: 'payment_record', payment_record: 'pr_1' },
      'pr_1',
      { paymentRecord: 'pr_1', charge: null },
    ],
    [
      'by an intent that is there as a whole',
      { type: 'payment_intent', payment_intent: { id: 'pi_1', object: 'payment_intent' } },
      'pi_1',
      { paymentIntent: 'pi_1' },
    ],
  ])('says that an invoice was paid %s', (_, payment, stream, data) => {
    const object = invoicePaymentObject('inpay_1', 'in_1', 'pi_1', { payment });
    expect(recorded('invoice_payment.paid', object)).toMatchObject({ stream, data });
  });

  it('says what of a charge was refunded', () => {
    expect(recorded('charge.refunded', chargeObject('ch_1', 'pi_1', { invoice: 'in_1' }))).toEqual({
      stream: 'pi_1',
      type: 'PaymentRefunded',
      data: {
        ...named,
        invoice: 'in_1',
        amount: 1000,
        amountRefunded: 1000,
        refunded: true,
        currency: 'usd',
      },
    });
  });

  it.each(['refund.failed', 'refund.updated', 'charge.refund.updated'])(
    '%s says that a refund failed',
    (type) => {
      expect(recorded(type, refundObject('re_1', 'ch_1', 'pi_1'))).toEqual({
        stream: 'pi_1',
        type: 'PaymentRefundFailed',
        data: {
          ...named,
          refund: 're_1',
          status: 'failed',
          failureReason: 'expired_or_canceled_card',
          amount: 1000,
          currency: 'usd',
        },
      });
    },
  );

  it('says that a refund was cancelled', () => {
    expect(
      recorded('refund.updated', refundObject('re_1', 'ch_1', null, { status: 'canceled' })),
    ).toMatchObject({
      stream: 'ch_1',
      type: 'PaymentRefundFailed',
      data: { payment: 'ch_1', paymentIntent: null, status: 'canceled' },
    });
  });

  it.each([
    ['charge.dispute.created', 'PaymentDisputed'],
    ['charge.dispute.updated', 'PaymentDisputed'],
    ['charge.dispute.funds_withdrawn', 'PaymentDisputed'],
    ['charge.dispute.funds_reinstated', 'PaymentDisputed'],
    ['charge.dispute.closed', 'DisputeClosed'],
  ])('%s says how a dispute stands', (type, event) => {
    expect(recorded(type, disputeObject('du_1', 'ch_1', 'pi_1'))).toEqual({
      stream: 'pi_1',
      type: event,
      data: {
        ...named,
        dispute: 'du_1',
        status: 'needs_response',
        caseType: 'chargeback',
        reason: 'fraudulent',
        amount: 1000,
        currency: 'usd',
      },
    });
  });

  it('of a dispute over a charge that is there as a whole says what the charge says', () => {
    const charge = { id: 'ch_1', object: 'charge', payment_intent: 'pi_1', invoice: 'in_1' };
    const object = { ...disputeObject('du_1', 'ch_1', null), charge };
    expect(recorded('charge.dispute.created', object)).toMatchObject({
      stream: 'pi_1',
      data: { ...named, invoice: 'in_1' },
    });
  });

  it('says what an early fraud warning warns of', () => {
    expect(
      recorded(
        'radar.early_fraud_warning.updated',
        fraudWarningObject('issfr_1', 'ch_1', 'pi_1', { actionable: false }),
      ),
    ).toEqual({
      stream: 'pi_1',
      type: 'PaymentWarned',
      data: { ...named, warning: 'issfr_1', fraudType: 'made_with_stolen_card', actionable: false },
    });
  });

  it.each<[string, string, object, string]>([
    [
      'a refund that goes well',
      'refund.updated',
      refundObject('re_1', 'ch_1', 'pi_1', { status: 'succeeded' }),
      'refund_not_failed',
    ],
    [
      'a refund of no payment',
      'refund.failed',
      { ...refundObject('re_1', '', null), charge: null },
      'no_payment',
    ],
    [
      'an invoice paid by what we do not know',
      'invoice_payment.paid',
      invoicePaymentObject('inpay_1', 'in_1', 'pi_1', { payment: { type: 'barter' } }),
      'no_payment',
    ],
  ])('is ignored where it tells of %s', (_, type, object, reason) => {
    expect(translated(stripeEvent(type, object))).toMatchObject({ outcome: 'ignored', reason });
  });

  it.each<[string, object, string[]]>([
    ['invoice_payment.paid', {}, ['data.object.id must be an id', 'data.object.invoice must be an id']],
    ['charge.refunded', {}, ['data.object.id must be an id']],
    ['refund.failed', { id: 're_1' }, ['data.object.status must be a string']],
    [
      'charge.dispute.created',
      {},
      [
        'data.object.id must be an id',
        'data.object.status must be a string',
        'data.object.charge must be an id',
      ],
    ],
    ['radar.early_fraud_warning.created', { id: 'issfr_1' }, ['data.object.charge must be an id']],
  ])('of type %s is malformed where what identifies is missing: %j', (type, object, problems) => {
    expect(translated(stripeEvent(type, object))).toEqual({ outcome: 'malformed', problems });
  });

  it.each([
    ['half a unit', 0.5],
    ['more than can be counted', 2 ** 60],
    ['a text', '1000'],
    ['nothing', undefined],
  ])('has no amount where Stripe says %s', (_, amount) => {
    const { data } = eventOf(
      stripeEvent('charge.dispute.created', disputeObject('du_1', 'ch_1', 'pi_1', { amount })),
    );
    expect(data).toMatchObject({ amount: null });
  });
});

describe('An object about a payment that Stripe shows when it is asked', () => {
  const SHOWN = { answeredAt: 1_793_526_100, livemode: false, claims: TRANSLATION };
  const shown = (kind: ObjectKind, object: { readonly id: string }) =>
    translateRetrieved({ kind, id: object.id }, { ...object }, SHOWN);
  it.each<[ObjectKind, string, { readonly id: string }]>([
    ['invoice_payment', 'invoice_payment.paid', invoicePaymentObject('inpay_1', 'in_1', 'pi_1')],
    ['charge', 'charge.refunded', chargeObject('ch_1', 'pi_1', { amount_refunded: 10, refunded: false })],
    ['charge', 'charge.refunded', chargeObject('ch_1', null, { invoice: 'in_1' })],
    ['dispute', 'charge.dispute.updated', disputeObject('du_1', 'ch_1', 'pi_1')],
  ])('as %s says what %s says', (kind, type, object) => {
    const { stream, data } = recorded(type, object);
    expect(shown(kind, object)).toEqual({
      outcome: 'recorded',
      stream: { category: 'payment', id: stream },
      event: { type: 'PaymentRetrieved', data: { object: kind, ...data } },
    });
  });

  it('is left alone where it is an invoice payment that is not paid', () => {
    const open = invoicePaymentObject('inpay_1', 'in_1', 'pi_1', { status: 'open' });
    expect(shown('invoice_payment', open)).toEqual({ outcome: 'ignored', reason: 'no_payment' });
  });

  it('is malformed where what identifies is missing, or where it is of the other mode', () => {
    const live = chargeObject('ch_1', 'pi_1', { livemode: true });
    expect(shown('dispute', { id: 'du_1' })).toEqual({
      outcome: 'malformed',
      problems: ['data.object.status must be a string', 'data.object.charge must be an id'],
    });
    expect(shown('charge', live)).toMatchObject({ outcome: 'malformed' });
  });
});
