import {
  DAWN,
  DAY,
  invoiceFact,
  item,
  line,
  observation,
  subscriptionState,
} from '../../test/support/lives.facts.js';
import { planCatalogSchema } from '../events/catalog.events.js';
import type { Observation } from './facts.js';
import { growingList } from './growing-list.js';
import { foldInvoices } from './invoices.js';
import { keptPaymentBytes, paymentsOf } from './kept-payments.js';
import { openPriceBook } from './prices.js';
import { remainsOf } from './remains.js';
import { NOTHING_RETURNED } from './taken-back.js';
import { valueAt } from './time-intervals.js';

const MANY = 80;
const SUBSCRIPTION = 'sub_1';
const ITEM = item(
  {
    price: 'plus_m',
    lookupKey: null,
    product: null,
    unitAmount: '1000',
    usageType: 'licensed',
    billingScheme: 'per_unit',
  },
  1,
  DAWN,
  DAWN + 30 * DAY,
);
const catalog = planCatalogSchema.parse({ default: 'free', plans: { free: { rank: 0, role: 'free' } } });

function sight(eventId: string, created: number, status: 'active' | 'trialing') {
  const trialEnd = status === 'trialing' ? DAWN + 90 * DAY : null;
  const state = subscriptionState(SUBSCRIPTION, { status, trialEnd });
  return observation(eventId, 'customer.subscription.updated', created, state);
}

function paidFact(nth: number, paid: ReturnType<typeof line>) {
  const data = {
    invoice: `in_${nth}`,
    subscription: SUBSCRIPTION,
    status: 'paid' as const,
    created: DAWN + nth,
    lines: [paid],
  };
  return invoiceFact(`evt_${nth}`, 'invoice.paid', DAWN + nth, data);
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
      paymentsOf(told, foldInvoices(told), NOTHING_RETURNED, ordered, openPriceBook(catalog, ordered));
    expect(payments(active).lines).toHaveLength(MANY);
    expect(payments(active, trial).lines).toEqual([]);
  });

  it('let stay what they cover of the plan that access follows now, by what the prices are read as now', () => {
    const end = DAWN + 30 * DAY;
    const lines = [line('plus_m', 1_000, DAWN, end), line('pro_m', 1_000, DAWN, end)];
    const data = {
      invoice: 'in_1',
      subscription: SUBSCRIPTION,
      status: 'paid' as const,
      created: DAWN,
      lines,
    };
    const told = [invoiceFact('evt_1', 'invoice.paid', DAWN, data)];
    const plans = planCatalogSchema.parse({
      default: 'free',
      plans: {
        free: { rank: 0, role: 'free' },
        plus: { rank: 1, role: 'paid', prices: { monthly: 'plus_m' } },
        pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m' } },
      },
    });
    const book = openPriceBook(plans, []);
    const payments = paymentsOf(told, foldInvoices(told), NOTHING_RETURNED, [], book);
    const planThatStays = (price: string | null, read = book) => {
      const plan = price === null ? null : read.planOf(price);
      const of = plan === null || price === null ? null : { plan, item: { ...ITEM, price } };
      return valueAt(remainsOf(payments, read, { of }).plan, DAWN)?.gives.name ?? null;
    };
    expect(planThatStays('plus_m')).toBe('plus');
    expect(planThatStays('pro_m')).toBe('pro');
    expect(planThatStays(null)).toBeNull();
    expect(valueAt(remainsOf(payments, book, null).plan, DAWN)?.gives.name).toBe('pro');
    const other = planCatalogSchema.parse({
      default: 'free',
      plans: {
        free: { rank: 0, role: 'free' },
        team: { rank: 1, role: 'paid', prices: { monthly: 'plus_m' } },
      },
    });
    const asTeam = openPriceBook(other, []);
    expect(valueAt(remainsOf(payments, asTeam, null).plan, DAWN)?.gives.name).toBe('team');
  });

  it('turn access where a line of a plan or an add-on begins to cover and ends, and where units are those of another price', () => {
    const told = [
      paidFact(1, line('plus_m', 1_000, DAWN + 10, DAWN + 90)),
      paidFact(2, line('plus_y', 1_000, DAWN + 10, DAWN + 90)),
      paidFact(3, line('plus_m', 1_000, DAWN + 50, DAWN + 90)),
      paidFact(4, line('seat_m', 1_000, DAWN + 60, DAWN + 70)),
    ];
    const plans = planCatalogSchema.parse({
      default: 'free',
      plans: {
        free: { rank: 0, role: 'free' },
        plus: { rank: 1, role: 'paid', prices: { monthly: 'plus_m', yearly: 'plus_y' } },
      },
      addons: { seats: { prices: ['seat_m'] } },
    });
    const book = openPriceBook(plans, []);
    const { turns } = remainsOf(paymentsOf(told, foldInvoices(told), NOTHING_RETURNED, [], book), book, null);
    expect(turns.access.map((second) => second - DAWN)).toEqual([10, 50, 60, 70, 90]);
  });

  it('are counted in what is kept in memory, line by line', () => {
    const lines = Array.from({ length: MANY }, (_, n) => line('plus_m', 1_000, DAWN + n, DAWN + n + 1));
    const data = {
      invoice: 'in_1',
      subscription: SUBSCRIPTION,
      status: 'paid' as const,
      created: DAWN,
      lines,
    };
    const told = growingList([invoiceFact('evt_1', 'invoice.paid', DAWN, data)]);
    expect(keptPaymentBytes(told)).toBe(0);
    paymentsOf(told, foldInvoices(told), NOTHING_RETURNED, [], openPriceBook(catalog, []));
    expect(keptPaymentBytes(told)).toBe(MANY * 650);
  });

  it('are kept no longer than they hold, where those that follow hang on what is seen and are not kept', () => {
    const told = growingList(
      Array.from({ length: MANY }, (_, n) => paidFact(n, line('plus_m', 1_000, DAWN + n, DAWN + n + 1))),
    );
    const gather = () =>
      paymentsOf(told, foldInvoices(told), NOTHING_RETURNED, [], openPriceBook(catalog, [])).lines.length;
    expect(gather()).toBe(MANY);
    expect(keptPaymentBytes(told)).toBe(MANY * 650);
    told.push(paidFact(MANY, line('plus_m', 0, DAWN, DAWN + DAY, { discounts: 1_000 })));
    expect(gather()).toBe(MANY + 1);
    expect(keptPaymentBytes(told)).toBe(0);
  });
});
