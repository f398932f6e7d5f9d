import fc from 'fast-check';
import { RequestBudget } from './request-pace.js';

describe('what an instance asks of Stripe', () => {
  it('is never more of one endpoint, nor of all together, than a second may hold, and goes out in order', () => {
    const asked = fc.record({
      endpoint: fc.constantFrom('events', 'subscriptions', 'customers'),
      after: fc.nat(300),
    });
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 200 }), fc.boolean(), (all, livemode) => {
        let clock = 0;
        const budget = new RequestBudget({ perSecond: 5, livemode, now: () => clock });
        const sent: { endpoint: string; at: number }[] = [];
        for (const { endpoint, after } of all) {
          clock += after;
          const { taken, waitMs } = budget.take(endpoint, 60_000);
          expect(taken).toBe(true);
          sent.push({ endpoint, at: clock + waitMs });
        }
        for (const { endpoint, at } of sent) {
          const within = sent.filter((other) => other.at >= at && other.at < at + 1_000);
          expect(within.length).toBeLessThanOrEqual(livemode ? 20 : 5);
          expect(within.filter((other) => other.endpoint === endpoint).length).toBeLessThanOrEqual(5);
        }
      }),
    );
  });

  it('is refused, and takes no place, when it would wait longer than its patience', () => {
    const budget = new RequestBudget({ perSecond: 2, livemode: false, now: () => 0 });
    expect([1, 2].map(() => budget.take('events', 0))).toEqual(Array(2).fill({ taken: true, waitMs: 0 }));
    expect(budget.take('events', 999)).toEqual({ taken: false, waitMs: 1_000 });
    expect(budget.take('events', 1_000)).toEqual({ taken: true, waitMs: 1_000 });
    expect(budget.take('events', 1_000)).toEqual({ taken: true, waitMs: 1_000 });
    expect(budget.take('events', 1_000)).toEqual({ taken: false, waitMs: 2_000 });
  });
});
