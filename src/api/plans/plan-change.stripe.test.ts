import { mayCredit } from './plan-change.stripe.js';

const PAID = { status: 'active', collection_method: 'charge_automatically' };
const WAITS = { plan: 'pro', price: 'price_pro', since: '', invoice: null, reason: 'taken_back' } as const;

describe('A change to less that is made at once', () => {
  it.each<[string, Parameters<typeof mayCredit>, boolean]>([
    ['is credited where it was charged', [PAID, null], true],
    ['is credited in a trial', [{ ...PAID, status: 'trialing' }, null], true],
    ['is not credited while a renewal is not paid', [{ ...PAID, status: 'past_due' }, null], false],
    [
      'is not credited where invoices are sent',
      [{ ...PAID, collection_method: 'send_invoice' }, null],
      false,
    ],
    ['is not credited where something waits, or was taken back', [PAID, WAITS], false],
  ])('%s', (_what, asked, isCredited) => {
    expect(mayCredit(...asked)).toBe(isCredited);
  });
});
