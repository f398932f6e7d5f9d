import {
  DAWN,
  DAY,
  invoiceFact,
  line,
  observation,
  subscriptionState,
} from '../../test/support/lives.facts.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import type { Observation } from './facts.js';
import { growingList } from './growing.js';
import { foldInvoices } from './invoices.js';
import { paymentsOf } from './kept-payments.js';
import { openPriceBook } from './prices.js';

const MANY = 80;
const SUBSCRIPTION = 'sub_1';
const catalog = planCatalogSchema.parse({ default: 'free', plans: { free: { rank: 0, role: 'free' } } });

function sight(eventId: string, created: number, status: 'active' | 'trialing') {
  const trialEnd = status === 'trialing' ? DAWN + 90 * DAY : null;
  const state = subscriptionState(SUBSCRIPTION, { status, trialEnd });
  return observation(eventId, 'customer.subscription.updated', created, state);
}

describe('Payments that are kept', () => {
  it('are gathered anew where they hang on what is seen of the subscription: whether a trial ran then', () => {
    const told = growingList(
      Array.from({ length: MANY }, (_, n) => {
        const created = DAWN + DAY + n;
        const free = line('plus_m', 0, created, created + DAY, { discounts: 1_000 });
        const data = {
          invoice: `in_${n}`,
          subscription: SUBSCRIPTION,
          status: 'paid' as const,
          created,
          lines: [free],
        };
        return invoiceFact(`evt_${n}`, 'invoice.paid', created, data);
      }),
    );
    const active = sight('evt_active', DAWN, 'active');
    const trial = sight('evt_trial', DAWN + 1, 'trialing');
    const payments = (...ordered: readonly Observation[]) =>
      paymentsOf(told, foldInvoices(told), ordered, openPriceBook(catalog, ordered));
    expect(payments(active).lines).toHaveLength(MANY);
    expect(payments(active, trial).lines).toEqual([]);
  });
});
