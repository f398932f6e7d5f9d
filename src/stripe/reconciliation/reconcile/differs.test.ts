import {
  day,
  type PurchaseStory,
  purchase,
  type SaleTold,
  sale,
  started,
} from '../../../../test/support/policy-stories.js';
import { importItem } from '../import/import-item.js';
import { differs } from './differs.js';

const SOLD = { pro_once: 1 };

/** What Stripe shows of a paid session on the second day. */
function answered(shown: SaleTold = sale('CheckoutRetrieved', day(0), SOLD)) {
  if (shown.kind !== 'sale') throw new Error('nothing is shown');
  return importItem.parse({
    ...{ category: 'checkout', id: 'cs_1', answeredAt: day(1), apiVersion: null },
    event: { type: 'CheckoutRetrieved', data: shown.fact.data },
    causation: 'retrieved/cs_1/job',
  });
}

describe('A customer that Stripe shows as the order of a tie has it', () => {
  const told = (
    eventId: string,
    created: number,
    userId: string | null,
    stripeType = 'customer.updated',
  ) => ({
    ...{ eventId, stripeType, created, userId },
  });
  const shown = (userId: string | null) =>
    importItem.parse({
      ...{ category: 'customer', id: 'cus_1', answeredAt: day(1), apiVersion: null },
      event: { type: 'CustomerRetrieved', data: { customer: 'cus_1', userId, deleted: false } },
      causation: 'retrieved/cus_1/job',
    });
  const tie = [told('evt_a', day(0), 'ann'), told('evt_b', day(0), 'bob')];
  it.each([
    ['is new, which settles the tie', tie, 'bob', 'new'],
    ['is new where it names nobody', tie, null, 'new'],
    ['says nothing new where nothing is in doubt', tie.slice(1), 'bob', 'nothing new'],
    [
      'says nothing new once an answer settled it',
      [...tie, told('retrieved/b', day(1) - 1, 'bob', '')],
      'bob',
      'nothing new',
    ],
    [
      'says nothing new once an answer named nobody',
      [...tie, told('retrieved/b', day(1) - 1, null, '')],
      null,
      'nothing new',
    ],
  ])('%s', (_, customers, userId, expected) => {
    const nothing = {
      observations: [],
      invoices: [],
      checkouts: [],
      payments: [],
      isOfNoInvoice: false,
      started: null,
      link: null,
    };
    expect(differs({ ...nothing, customers }, shown(userId))).toBe(expected);
  });
});

describe('A purchase that Stripe shows', () => {
  const told = sale('CheckoutCompleted', day(0), null);
  const unpaid = sale('CheckoutCompleted', day(0), null, { paymentStatus: 'unpaid' });
  const held = sale('CheckoutRetrieved', day(0), SOLD);
  if (held.kind === 'sale') Object.assign(held.fact, { eventId: 'retrieved/cs_1/job' });
  it.each<[string, PurchaseStory, string]>([
    ['is new where nothing was told of it', [], 'new'],
    ['is new where its line items are not known', [told], 'new'],
    ['is new where it was not paid when it was told of', [unpaid, started('pro_once', 1, day(0))], 'new'],
    ['is new where it sold something else', [sale('CheckoutRetrieved', day(0), { plus_once: 1 })], 'new'],
    ['says nothing new where Tenure started it', [told, started('pro_once', 1, day(0))], 'nothing new'],
    [
      'says nothing new once its line items are known',
      [sale('CheckoutRetrieved', day(0), SOLD)],
      'nothing new',
    ],
    ['says nothing new where more was told since', [sale('CheckoutExpired', day(2), null)], 'nothing new'],
    ['is held where it was recorded by this very job', [held], 'held'],
  ])('%s', (_, story, expected) => {
    const { observations, started: start } = purchase(story);
    const nothing = {
      observations: [],
      invoices: [],
      customers: [],
      payments: [],
      isOfNoInvoice: false,
      link: null,
    };
    expect(differs({ ...nothing, checkouts: observations, started: start }, answered())).toBe(expected);
  });
});
