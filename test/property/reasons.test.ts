import fc from 'fast-check';
import type { PlanCatalog } from '../../src/events/catalog.events.js';
import type { ByHandFacts, PurchaseFacts, SubscriptionFacts, UserFacts } from '../../src/policy/facts.js';
import { allWithHeldItems } from '../../src/policy/held-items.js';
import { foldInvoices } from '../../src/policy/invoices.js';
import { judge } from '../../src/policy/judge.js';
import { orderObservations } from '../../src/policy/order.js';
import { openPriceBook } from '../../src/policy/prices.js';
import { isPurchase } from '../../src/policy/purchases.js';
import { type Explanation, explain } from '../../src/policy/reasons/explain.js';
import {
  boughtLife,
  burstLife,
  disputedLife,
  givenLife,
  type Life,
  lapsedLife,
  noisyLife,
  paymentLife,
  shuffled,
  stripeLife,
} from '../support/lives.js';

/** How many lives of each kind are tried, each without each of its events; `REASON_SEED` repeats a run. */
const numRuns = Number(process.env.REASON_RUNS ?? '12');
const seed = process.env.REASON_SEED === undefined ? {} : { seed: Number(process.env.REASON_SEED) };

const kinds: readonly (readonly [string, () => fc.Arbitrary<Life>])[] = [
  ['lives as Stripe tells them', stripeLife],
  ['lives crowded into a second', burstLife],
  ['lives that turn on what was paid for', paymentLife],
  ['lives in which payments stop', lapsedLife],
  ['lives in which money goes back', disputedLife],
  ['lives beside which something is given by hand', givenLife],
  ['lives beside which plans are bought for good', boughtLife],
  ['lives without rhyme or reason', noisyLife],
];

type Fact = SubscriptionFacts['observations' | 'invoices' | 'checkouts' | 'payments'][number];

function explained(facts: UserFacts, catalog: PlanCatalog, now: number): Explanation {
  return explain({ ...facts, deletedBy: new Map(), things: () => [] }, catalog, now);
}

function factsIn(sub: SubscriptionFacts): readonly Fact[] {
  return [...sub.observations, ...sub.invoices, ...sub.checkouts, ...sub.payments];
}

/** The same life, had one event never come; what nothing tells of any more is not known. */
function without({ subscriptions, purchases, byHand }: UserFacts, eventId: string): UserFacts {
  const others = <T extends Fact>(facts: readonly T[]) => facts.filter((fact) => fact.eventId !== eventId);
  const left = subscriptions.map((sub) => ({
    ...sub,
    observations: others(sub.observations),
    invoices: others(sub.invoices),
    checkouts: others(sub.checkouts),
    payments: others(sub.payments),
  }));
  return {
    subscriptions: left.filter((sub) => factsIn(sub).length > 0),
    purchases: purchases?.flatMap((purchase) => purchaseWithout(purchase, eventId)),
    byHand: byHand === undefined ? byHand : byHandWithout(byHand, eventId),
  };
}

function purchaseWithout(purchase: PurchaseFacts, eventId: string): readonly PurchaseFacts[] {
  const others = <T extends { readonly eventId: string }>(facts: readonly T[]) =>
    facts.filter((fact) => fact.eventId !== eventId);
  const observations = others(purchase.observations);
  const started = purchase.started?.eventId === eventId ? null : purchase.started;
  return observations.length === 0
    ? []
    : [{ ...purchase, observations, started, payments: others(purchase.payments) }];
}

function eventsOfPurchases(purchases: UserFacts['purchases'] = []): readonly string[] {
  return purchases.flatMap(({ observations, started, payments }) =>
    [...observations, ...payments, ...(started === null ? [] : [started])].map(({ eventId }) => eventId),
  );
}

/** Whoever never gave a thing never took it back either. */
function byHandWithout({ grants, overrides }: ByHandFacts, eventId: string): ByHandFacts {
  return {
    grants: grants
      .filter(({ issued }) => issued.eventId !== eventId)
      .map((grant) => (grant.revoked?.eventId === eventId ? { ...grant, revoked: null } : grant)),
    overrides: overrides
      .filter(({ set }) => set.eventId !== eventId)
      .map((override) => (override.removed?.eventId === eventId ? { ...override, removed: null } : override)),
  };
}

function eventsByHand(byHand: ByHandFacts | undefined): readonly string[] {
  return [
    ...(byHand?.grants ?? []).flatMap(({ issued, revoked }) => [issued, revoked]),
    ...(byHand?.overrides ?? []).flatMap(({ set, removed }) => [set, removed]),
  ].flatMap((said) => said?.eventId ?? []);
}

/** Features that are put off by hand have a reason, too. */
function putOff(reasons: Explanation['reasons']): readonly string[] {
  return reasons
    .filter(({ of, code }) => of.startsWith('feature:') && code === 'override_feature_off')
    .map(({ of }) => of);
}

/**
 * Exception of DESIGN 5.3: what was seen in one second is put in order by all of it and by what came before, so that one event
 * bears on the place of others. Whether the rest stand in another order without it.
 */
function ordersOthers({ subscriptions }: UserFacts, eventId: string): boolean {
  return subscriptions.some(({ observations }) => {
    const idsOf = (list: typeof observations) =>
      orderObservations(list)
        .observations.map((observation) => observation.eventId)
        .filter((id) => id !== eventId);
    const others = observations.filter((observation) => observation.eventId !== eventId);
    return JSON.stringify(idsOf(observations)) !== JSON.stringify(idsOf(others));
  });
}

/**
 * Exception of DESIGN 5.3, by which of an invoice `paid` outranks all and else the latest event decides: whether an event
 * hides what another one says of the same invoice, which counts when it is gone.
 */
function hidesAnother({ subscriptions }: UserFacts, eventId: string): boolean {
  return subscriptions.some(({ invoices }) => {
    const hiding = foldInvoices(invoices).find(({ told }) => told.eventId === eventId);
    return invoices.some((fact) => fact.eventId !== eventId && fact.data.invoice === hiding?.data.invoice);
  });
}

/**
 * Exception of DESIGN 7, by which a price in no plan counts as the one of a plan that it took over on its item: which that is
 * the observation before it tells, so that an event between others bears on it. Whether other prices are adopted without it.
 */
function bearsOnAdoption({ subscriptions }: UserFacts, catalog: PlanCatalog, eventId: string): boolean {
  const adopted = (observations: SubscriptionFacts['observations']) =>
    JSON.stringify(
      [...openPriceBook(catalog, allWithHeldItems(orderObservations(observations).observations)).adopted].map(
        ([price, { name }]) => [price, name],
      ),
    );
  return subscriptions.some(
    ({ observations }) =>
      adopted(observations) !==
      adopted(observations.filter((observation) => observation.eventId !== eventId)),
  );
}

/** Exception of twins: whether another event tells of the same thing in the same second, so that it stands for this one. */
function hasTwin({ subscriptions, purchases = [] }: UserFacts, eventId: string): boolean {
  const lists: readonly (readonly Fact[])[] = [
    ...subscriptions.flatMap((sub) => [sub.observations, sub.invoices, sub.checkouts, sub.payments]),
    ...purchases.flatMap(({ observations, payments }) => [observations, payments]),
  ];
  return lists.some((list) => {
    const own = list.find((fact) => fact.eventId === eventId);
    return list.some((fact) => fact.eventId !== eventId && fact.created === own?.created);
  });
}

describe.each(kinds)('the reasons of the access policy, on %s', (_name, lives) => {
  it('come with what the policy judges, and with one for each part of it', () => {
    fc.assert(
      fc.property(lives(), ({ facts, catalog, now }) => {
        const { entitlement, reasons } = explained(facts, catalog, now);
        expect(entitlement).toEqual(judge(facts, catalog, now).entitlement);
        const parts = [
          'plan',
          'status',
          ...entitlement.features.map((feature) => `feature:${feature}`),
          ...Object.keys(entitlement.limits).map((limit) => `limit:${limit}`),
          ...(['pendingPayment', 'expiresAt', 'cancelAt'] as const).filter(
            (part) => entitlement[part] !== null,
          ),
          ...facts.subscriptions.map(({ subscription }) => `subscription:${subscription}`),
          ...(facts.purchases ?? [])
            .filter(({ observations }) => isPurchase(observations))
            .map(({ session }) => `purchase:${session}`),
          ...(facts.byHand?.grants ?? []).map(({ grant }) => `grant:${grant}`),
          ...(facts.byHand?.overrides ?? []).map(({ kind, key }) => `override:${kind}:${key}`),
          ...putOff(reasons),
        ];
        const told = reasons
          .map(({ of }) => of)
          .filter((of) => of !== 'validUntil' && !/^(invoice|price|items):/.test(of));
        expect(told.sort()).toEqual([...new Set(parts)].sort());
        if (entitlement.validUntil !== null) expect(reasons.map(({ of }) => of)).toContain('validUntil');
      }),
      { numRuns: numRuns * 4, ...seed },
    );
  });

  it('are those of the set of facts, whatever their order and however often each is told', () => {
    fc.assert(
      fc.property(lives(), fc.nat(), ({ facts, catalog, now }, order) => {
        expect(explained(shuffled(facts, order), catalog, now)).toEqual(explained(facts, catalog, now));
      }),
      { numRuns: numRuns * 2, ...seed },
    );
  });

  it('name what matters: without an event that those of plan and status do not name, plan and status stay', () => {
    fc.assert(
      fc.property(lives(), ({ facts, catalog, now }) => {
        const { entitlement, reasons } = explained(facts, catalog, now);
        const named = new Set(
          reasons.filter(({ of }) => of === 'plan' || of === 'status').flatMap(({ events }) => events),
        );
        const told = facts.subscriptions.flatMap(factsIn).map((fact) => fact.eventId);
        for (const eventId of new Set([
          ...told,
          ...eventsByHand(facts.byHand),
          ...eventsOfPurchases(facts.purchases),
        ])) {
          if (named.has(eventId) || ordersOthers(facts, eventId) || hidesAnother(facts, eventId)) continue;
          if (bearsOnAdoption(facts, catalog, eventId)) continue;
          const { plan, status } = judge(without(facts, eventId), catalog, now).entitlement;
          expect({ eventId, plan, status }).toEqual({
            eventId,
            plan: entitlement.plan,
            status: entitlement.status,
          });
        }
      }),
      { numRuns, ...seed },
    );
  });

  it('name no more: without an event that one names, the entitlement, or its rule or facts, are others', () => {
    fc.assert(
      fc.property(lives(), ({ facts, catalog, now }) => {
        const { entitlement, reasons } = explained(facts, catalog, now);
        for (const eventId of new Set(reasons.flatMap(({ events }) => events))) {
          if (ordersOthers(facts, eventId) || hasTwin(facts, eventId)) continue;
          const other = explained(without(facts, eventId), catalog, now);
          if (JSON.stringify(other.entitlement) !== JSON.stringify(entitlement)) continue;
          for (const { of, code, events, facts: known } of reasons) {
            if (!events.includes(eventId)) continue;
            const then = other.reasons.find((reason) => reason.of === of);
            expect({ eventId, of, code: then?.code, known: then?.facts }).not.toEqual({
              eventId,
              of,
              code,
              known,
            });
          }
        }
      }),
      { numRuns, ...seed },
    );
  });
});
