import { invoiceObject, stripeEvent, subscriptionObject } from '../../../test/support/stripe-events.js';
import { disputeObject } from '../../../test/support/stripe-payments.js';
import { eventOf } from '../../../test/support/translated.js';
import { unexpectedIn } from './unexpected.js';

const sub = (more: object) =>
  stripeEvent('customer.subscription.updated', subscriptionObject('sub_1', 'price_1', more));
const invoice = (more: object) =>
  stripeEvent('invoice.paid', invoiceObject('in_1', 'sub_1', 'price_1', more));

const dispute = (more: object) =>
  stripeEvent('charge.dispute.updated', disputeObject('du_1', 'ch_1', 'pi_1', more));

describe('What may surprise in a recorded event', () => {
  it.each<[string, object, object[]]>([
    [
      'a status that we do not know',
      sub({ status: 'dormant' }),
      [{ kind: 'unknown_status', subject: 'dormant' }],
    ],
    ['a known status', sub({ status: 'paused' }), []],
    [
      'items that were cut',
      sub({ items: { data: [{ price: 'price_1' }], has_more: true } }),
      [{ kind: 'cut_items', subject: 'sub_1' }],
    ],
    [
      'lines that were cut',
      invoice({ lines: { data: [], has_more: true } }),
      [{ kind: 'cut_lines', subject: 'in_1' }],
    ],
    ['a whole invoice', invoice({}), []],
    [
      'a state of a dispute that we do not know',
      dispute({ status: 'arbitrated' }),
      [{ kind: 'unknown_dispute_status', subject: 'arbitrated' }],
    ],
    ['a dispute that was lost', dispute({ status: 'lost' }), []],
  ])('is told of %s', (_, body, unexpected) => {
    expect(unexpectedIn(eventOf(body))).toEqual(unexpected);
  });
});
