import fc from 'fast-check';
import { life, shuffled } from '../../test/support/lives.js';
import type { CheckoutObservation, InvoiceObservation, Observation } from './facts.js';
import { eventIdsOf, growingList } from './growing.js';
import { judge } from './judge.js';
import { orderObservations } from './order.js';

describe('Facts that are kept in lists that grow', () => {
  it('are judged after each one as the same facts from scratch, in whatever order and batches they come', () => {
    fc.assert(
      fc.property(
        life(),
        fc.nat(),
        fc.integer({ min: 1, max: 4 }),
        ({ facts, catalog, now }, seed, batch) => {
          const told = shuffled(facts, seed).subscriptions.map((subscription) => {
            const { observations, invoices, checkouts } = subscription;
            const told = [
              ...observations.map((fact) => ({ kind: 'observation' as const, fact })),
              ...invoices.map((fact) => ({ kind: 'invoice' as const, fact })),
              ...checkouts.map((fact) => ({ kind: 'checkout' as const, fact })),
            ];
            return told.map((each, nth) => ({ ...each, subscription, nth }));
          });
          const kept = facts.subscriptions.map(({ subscription, ...more }) => ({
            ...more,
            subscription,
            observations: growingList<Observation>([]),
            invoices: growingList<InvoiceObservation>([]),
            checkouts: [] as CheckoutObservation[],
          }));
          // Fact by fact in turns: each subscription grows while the others do.
          const arrivals = told.flat().sort((a, b) => a.nth - b.nth);
          for (const [index, { kind, fact, subscription }] of arrivals.entries()) {
            const own = kept.find((each) => each.subscription === subscription.subscription);
            if (own === undefined) throw new Error('a subscription that is not there');
            if (kind === 'observation') {
              if (!eventIdsOf(own.observations).has(fact.eventId)) own.observations.push(fact);
            } else if (kind === 'invoice') {
              if (!eventIdsOf(own.invoices).has(fact.eventId)) own.invoices.push(fact);
            } else own.checkouts = [...own.checkouts, fact];
            if (index % batch !== 0 && index !== arrivals.length - 1) continue;
            const scratch = kept.map((each) => ({
              ...each,
              observations: [...each.observations],
              invoices: [...each.invoices],
            }));
            for (const [n, each] of kept.entries()) {
              expect(orderObservations(each.observations).observations).toEqual(
                orderObservations(scratch[n]?.observations ?? []).observations,
              );
            }
            const instant = index % 2 === 0 ? now : now - 1_000;
            expect(judge({ subscriptions: kept }, catalog, instant)).toEqual(
              judge({ subscriptions: scratch }, catalog, instant),
            );
          }
        },
      ),
      { numRuns: Number(process.env.AGREEMENT_RUNS ?? '300') },
    );
  });
});
