import {
  attached,
  day,
  dispute,
  refunded,
  refundFailed,
  warned,
} from '../../../../test/support/policy-stories.js';
import {
  chargeObject,
  disputeObject,
  fraudWarningObject,
  invoicePaymentObject,
} from '../../../../test/support/stripe-payments.js';
import { type ObjectKind, type StripeObjectRef } from '../../gateway/object-kind.js';
import { translateRetrieved } from '../../translate/retrieved.translation.js';
import { differs } from '../reconcile/differs.js';
import type { StreamFacts } from '../stream-facts.js';
import { type ImportItem, importItem } from './import-item.js';
import { noveltyIn } from './known.js';

const JOB = 'job';
const NOTHING: StreamFacts = {
  ...{ observations: [], invoices: [], customers: [], checkouts: [], payments: [] },
  ...{ isOfNoInvoice: false, started: null, link: null },
};

/** What an import would record of an object that Stripe shows on the ninth day. */
function shown(kind: ObjectKind, object: { readonly id: string }): ImportItem {
  const about: StripeObjectRef = { kind, id: object.id };
  const reading = {
    answeredAt: day(9),
    livemode: false,
    claims: { userIdMetadataKey: 'user_id', userIdPattern: null },
  };
  const read = translateRetrieved(about, { ...object }, reading);
  if (read.outcome !== 'recorded') throw new Error(`not recorded: ${JSON.stringify(read)}`);
  return importItem.parse({
    ...read.stream,
    event: read.event,
    ...{ causation: `retrieved/${object.id}/${JOB}`, answeredAt: day(9), apiVersion: null },
  });
}

const none: ImportItem = {
  ...{
    category: 'payment',
    id: 'pi_1',
    causation: 'retrieved/pi_1/job',
    answeredAt: day(9),
    apiVersion: null,
  },
  event: {
    type: 'PaymentRetrieved',
    data: { object: 'none', payment: 'pi_1', paymentIntent: 'pi_1', charge: 'ch_1', invoice: null },
  },
};

type Told = ReturnType<typeof attached>;
const ofInvoice = (told: Told): Told =>
  ({ ...told, fact: { ...told.fact, data: { ...told.fact.data, invoice: 'in_1' } } }) as Told;
const charge = (amount: number, more: object = {}) =>
  shown(
    'charge',
    chargeObject('ch_1', 'pi_1', { amount_refunded: amount, refunded: amount === 1000, ...more }),
  );
const disputed = (status: string, more: object = {}) =>
  shown('dispute', disputeObject('du_1', 'ch_1', 'pi_1', { status, ...more }));
const warning = (actionable: boolean) =>
  shown('early_fraud_warning', fraudWarningObject('issfr_1', 'ch_1', 'pi_1', { actionable }));
const inpay = shown('invoice_payment', invoicePaymentObject('inpay_in_1', 'in_1', 'pi_1'));

describe('What Stripe shows of a payment', () => {
  it.each<[string, ImportItem, readonly Told[], 'new' | 'nothing new']>([
    ['is new of a dispute never told of', disputed('lost'), [], 'new'],
    [
      'says nothing new of a dispute told of like this',
      disputed('lost'),
      [dispute('closed', 'lost', day(1))],
      'nothing new',
    ],
    [
      'is new of a dispute that stood otherwise',
      disputed('won'),
      [dispute('created', 'needs_response', day(1))],
      'new',
    ],
    [
      'is new of a dispute of another amount',
      disputed('lost', { amount: 10 }),
      [dispute('closed', 'lost', day(1))],
      'new',
    ],
    [
      'says nothing new of what a dispute came to in a second',
      disputed('won'),
      [dispute('closed', 'won', day(1)), dispute('updated', 'under_review', day(1))],
      'nothing new',
    ],
    [
      'is new of a dispute where another one was told of',
      disputed('lost'),
      [dispute('closed', 'lost', day(1), {}, { dispute: 'du_2' })],
      'new',
    ],
    ['is new of a refund never told of', charge(1000), [], 'new'],
    ['says nothing new of a charge of which nothing is refunded', charge(0), [], 'nothing new'],
    ['says nothing new of a refund told of', charge(1000), [refunded(1000, day(1))], 'nothing new'],
    [
      'says nothing new of a refund that named its invoice, as API versions before 2025-03-31 do',
      charge(1000),
      [ofInvoice(refunded(1000, day(1)))],
      'nothing new',
    ],
    ['is new where more was refunded since', charge(1000), [refunded(400, day(1))], 'new'],
    [
      'says nothing new of a refund of which it was told that it failed',
      charge(0),
      [refunded(1000, day(1)), refundFailed('re_1', 1000, day(2))],
      'nothing new',
    ],
    [
      'says nothing new of a refund that failed beside a dispute',
      charge(400),
      [
        dispute('created', 'needs_response', day(3)),
        refundFailed('re_1', 600, day(2)),
        refunded(1000, day(1)),
      ],
      'nothing new',
    ],
    ['is new of a refund that failed unheard', charge(0), [refunded(1000, day(1))], 'new'],
    ['is new of a fraud warning never told of', warning(true), [], 'new'],
    ['says nothing new of a fraud warning that came and went unheard', warning(false), [], 'nothing new'],
    ['says nothing new of a fraud warning told of', warning(true), [warned(true, day(1))], 'nothing new'],
    [
      'is new of a fraud warning that can no longer be acted on',
      warning(false),
      [warned(true, day(1))],
      'new',
    ],
    [
      'says nothing new of a fraud warning of which it was told that it can no longer be acted on',
      warning(false),
      [warned(false, day(2)), warned(true, day(1))],
      'nothing new',
    ],
    [
      'is new of a fraud warning where another one was told of',
      warning(true),
      [warned(true, day(1), 'issfr_2')],
      'new',
    ],
    ['is new of an invoice paid by it', inpay, [dispute('created', 'lost', day(1))], 'new'],
    [
      'says nothing new of an invoice known to be paid by it',
      inpay,
      [attached('in_1', day(1))],
      'nothing new',
    ],
    ['is new of an invoice beside another', inpay, [attached('in_2', day(1))], 'new'],
    ['is new where it is of no invoice', none, [refunded(1000, day(1))], 'new'],
    ['says nothing new where an invoice was known', none, [attached('in_1', day(1))], 'nothing new'],
  ])('%s', (_, item, story, expected) => {
    const facts = { ...NOTHING, payments: story.map(({ fact }) => fact) };
    expect(noveltyIn(facts, item)).toBe(expected);
    expect(noveltyIn({ ...facts, payments: [...facts.payments].reverse() }, item)).toBe(expected);
    expect(differs(facts, item)).toBe(expected);
  });

  it('says nothing new where Stripe named no invoice before', () => {
    expect(noveltyIn({ ...NOTHING, isOfNoInvoice: true }, none)).toBe('nothing new');
  });

  it('says nothing new in a reconciliation where a webhook told of it in that second or later', () => {
    const payments = [dispute('closed', 'won', day(9)).fact];
    expect(differs({ ...NOTHING, payments }, disputed('needs_response'))).toBe('nothing new');
    expect(differs({ ...NOTHING, payments }, charge(1000))).toBe('new');
  });

  it('is held where it was recorded by this very job', () => {
    const [told] = [dispute('created', 'lost', day(9)).fact];
    const payments = [{ ...told, eventId: 'retrieved/du_1/job', stripeType: '' } as typeof told];
    expect(noveltyIn({ ...NOTHING, payments }, disputed('lost'))).toBe('held');
  });
});
