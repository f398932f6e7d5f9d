import { planCatalogSchema } from '../../events/catalog.events.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import { soldPriceOf } from '../../stripe/gateway/sold-price.js';
import { heldBy, stripeSubscription } from './held.js';
import { refuseHeld } from './refusals.js';
import { trialDaysBy } from './trial.js';
import { wantedOf } from './wanted.js';

const catalog = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free' },
    plus: { rank: 1, role: 'paid', prices: { monthly: 'plus_m' } },
    pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m', lifetime: 'pro_once' } },
  },
  addons: { seats: { prices: ['seat_m'] } },
});
const onActive = { ...catalog, policy: { ...catalog.policy, sendInvoice: 'onActive' as const } };
const price = (id: string) => ({
  id,
  active: true,
  product: `prod_${id}`,
  currency: 'usd',
  unit_amount: 1_000,
  recurring: id.endsWith('once') ? null : { interval: 'month', interval_count: 1, usage_type: 'licensed' },
});

type Reason = NonNullable<Snapshot['pendingPayment']>['reason'];
const PLUS = { plan: 'plus', interval: 'monthly' };
const PRO = { plan: 'pro', interval: 'monthly' };

/** What is answered to who holds a subscription to plus, of which something waits for its payment. */
function answer(
  choice: { plan: string; interval: string; quantity?: number; addons?: Record<string, number> },
  held: object,
  waits: Reason | null,
  by = catalog,
  snapshot = 'plus',
): string {
  const items = { data: [{ id: 'si_1', quantity: 2, price: price('plus_m') }] };
  const shown = { id: 'sub_1', status: 'active', customer: 'cus_1', items, ...held };
  const has = heldBy(stripeSubscription.parse(shown), by);
  const { plan, interval, ...units } = choice;
  const of = by.plans[plan];
  const label = of?.prices[interval];
  if (of === undefined || typeof label !== 'string') throw new Error('not in the catalogue');
  const offer = { plan, of, interval, price: label, trialDays: 0 };
  const wanted = wantedOf(by, units, offer, has, (name) => soldPriceOf(price(name)));
  const pendingPayment =
    waits === null ? null : { plan: 'plus', price: 'plus_m', since: '', invoice: null, reason: waits };
  try {
    refuseHeld(wanted, has, { plan: snapshot, source: null, pendingPayment }, by);
    return 'may be bought';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'no problem';
  }
}

describe('A buyer who holds a subscription', () => {
  it.each<[string, Parameters<typeof answer>, string]>([
    ['is told of what it is of that it is held', [PLUS, {}, null], 'already_held'],
    ['is told to pay for what gives nothing yet', [PLUS, {}, null, catalog, 'free'], 'payment_due'],
    ['may buy what is more', [PRO, {}, null], 'may be bought'],
    ['pays what is past due first', [PRO, { status: 'past_due' }, null], 'payment_due'],
    ['buys nothing on top of a bank debit that is on its way', [PRO, {}, 'bank_debit'], 'payment_due'],
    ['buys nothing on top of a sent invoice that is not paid', [PRO, {}, 'sent_invoice'], 'payment_due'],
    ['buys nothing on top of a higher plan whose invoice is open', [PRO, {}, 'invoice_open'], 'payment_due'],
    ['buys nothing on top of what was paid back', [PRO, {}, 'taken_back'], 'payment_due'],
    ['is told that it waits, not that it is held', [PLUS, {}, 'no_invoice'], 'payment_due'],
    ['may buy what bills the difference that was left', [PRO, {}, 'no_invoice'], 'may be bought'],
    [
      'may buy for good while a debit is on its way',
      [{ ...PRO, interval: 'lifetime' }, {}, 'bank_debit'],
      'may be bought',
    ],
    [
      'goes on with a change that waits at Stripe',
      [PRO, { pending_update: {}, collection_method: 'charge_automatically' }, 'invoice_open'],
      'may be bought',
    ],
  ])('%s', (_what, asked, outcome) => {
    expect(answer(...asked)).toBe(outcome);
  });

  const sent = { collection_method: 'send_invoice' };
  it.each<[string, Parameters<typeof answer>, string]>([
    ['has no more units before they are paid', [{ ...PLUS, quantity: 3 }, sent, null], 'not_by_sent_invoice'],
    [
      'has no add-ons before they are paid',
      [{ ...PLUS, addons: { seats: 1 } }, sent, null],
      'not_by_sent_invoice',
    ],
    ['has none beside a higher plan', [{ ...PRO, addons: { seats: 1 } }, sent, null], 'not_by_sent_invoice'],
    ['may buy a higher plan with its units', [{ ...PRO, quantity: 9 }, sent, null], 'may be bought'],
    [
      'may have all where being active is enough',
      [{ ...PLUS, quantity: 3 }, sent, null, onActive],
      'may be bought',
    ],
  ])('by sent invoices %s', (_what, asked, outcome) => {
    expect(answer(...asked)).toBe(outcome);
  });
});

describe('What is bought once and for good', () => {
  it('has no trial, and says so to who asks for one', () => {
    expect(trialDaysBy('once', {}, 14)).toBe(0);
    expect(trialDaysBy({ unit: 'month', count: 1 }, { trial: true }, 14)).toBe(14);
    expect(() => trialDaysBy('once', { trial: true }, 14)).toThrow(
      expect.objectContaining({ code: 'trial_not_offered' }),
    );
  });
});
