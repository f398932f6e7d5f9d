import fc from 'fast-check';
import type { PlanCatalog } from '../../src/events/catalog.events.js';
import type { SubscriptionFacts, UserFacts } from '../../src/policy/facts.js';
import { givenByHand } from './lives.by-hand.js';
import { catalogs } from './lives.catalog.js';
import { disputedSubscription } from './lives.disputes.js';
import { DAWN, DAY } from './lives.facts.js';
import { noisySubscription } from './lives.noise.js';
import { paymentSubscription } from './lives.payment.js';
import { boughtOnce, withLifetimePrices } from './lives.purchases.js';
import { burstSubscription, lapsedSubscription, stripeSubscription } from './lives.stripe.js';
import { instantsByHand } from './oracle/by-hand.js';

/** What the access policy is asked: `now` is Unix milliseconds. */
export interface Life {
  readonly facts: UserFacts;
  readonly catalog: PlanCatalog;
  readonly now: number;
}

/** Lives as Stripe would tell them: one to three subscriptions that walk, fail, recover, change and end. */
export function stripeLife(): fc.Arbitrary<Life> {
  return lifeOf(stripeSubscription);
}

/** Lives of which most happens within one second. */
export function burstLife(): fc.Arbitrary<Life> {
  return lifeOf(burstSubscription);
}

/** Lives that turn on which price was paid for, and when. */
export function paymentLife(): fc.Arbitrary<Life> {
  return lifeOf(paymentSubscription);
}

/** Lives that turn on what is left when payments stop. */
export function lapsedLife(): fc.Arbitrary<Life> {
  return lifeOf(lapsedSubscription);
}

/** Lives that turn on what of their payments went back. */
export function disputedLife(): fc.Arbitrary<Life> {
  return lifeOf(disputedSubscription);
}

/** Lives in which any field may hold any value of a small pool. */
export function noisyLife(): fc.Arbitrary<Life> {
  return lifeOf(noisySubscription);
}

/** Lives beside which something is given and set by hand; some never buy anything. */
export function givenLife(): fc.Arbitrary<Life> {
  return fc
    .record({
      life: fc.oneof(stripeLife(), lapsedLife()),
      byHand: givenByHand(),
      which: fc.nat(),
      buys: fc.boolean(),
    })
    .map(({ life: { facts, catalog, now }, byHand, which, buys }) => {
      const { subscriptions } = facts;
      const all = { subscriptions: buys ? subscriptions : [], byHand };
      const instants = [now, ...instantsByHand(byHand)];
      const at = instants[which % instants.length] ?? now;
      return { facts: all, catalog, now: at - (which % 3 === 0 ? 1 : 0) };
    });
}

/** Lives beside which plans are bought once, and some of them taken back; some never buy anything else. */
export function boughtLife(): fc.Arbitrary<Life> {
  return fc
    .record({ life: fc.oneof(stripeLife(), lapsedLife()), purchases: boughtOnce(), buys: fc.boolean() })
    .map(({ life: { facts, catalog, now }, purchases, buys }) => ({
      facts: { subscriptions: buys ? facts.subscriptions : [], purchases },
      catalog: withLifetimePrices(catalog),
      now,
    }));
}

/** Any of these kinds, but without what is given by hand: recorded answers are about these. */
export function life(): fc.Arbitrary<Life> {
  return fc.oneof(stripeLife(), burstLife(), paymentLife(), lapsedLife(), disputedLife(), noisyLife());
}

function lifeOf(subscription: (id: string) => fc.Arbitrary<SubscriptionFacts>): fc.Arbitrary<Life> {
  const subscriptions = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(subscription('sub_b')) },
    { weight: 2, arbitrary: fc.tuple(subscription('sub_b'), subscription('sub_a')) },
    { weight: 1, arbitrary: fc.tuple(subscription('sub_b'), subscription('sub_a'), subscription('sub_c')) },
  );
  return fc
    .record({
      facts: subscriptions.map((list): UserFacts => ({ subscriptions: list })),
      catalog: catalogs(),
      which: fc.nat(10_000),
      beside: fc.constantFrom(0, 0, 0, -1, 1, 500, 3_600_000),
    })
    .map(({ facts, catalog, which, beside }) => {
      const moments = interestingInstants(facts, catalog);
      return { facts, catalog, now: (moments[which % moments.length] ?? DAWN * 1000) + beside };
    });
}

/** Instants at which something happens or could end, Unix milliseconds, ascending. */
function interestingInstants(facts: UserFacts, catalog: PlanCatalog): number[] {
  const { pastDueGraceDays, trialGraceDays, neverPaidGraceDays, trialEndSlackHours } = catalog.policy;
  const graces = [pastDueGraceDays, trialGraceDays, neverPaidGraceDays];
  const found = facts.subscriptions.flatMap((sub) => [
    ...sub.observations.flatMap((o) => [
      o.created,
      ...graces.map((days) => o.created + days * DAY),
      ...(o.data.trialEnd === null ? [] : [o.data.trialEnd, o.data.trialEnd + trialEndSlackHours * 3600]),
      ...(o.data.cancelAt === null ? [] : [o.data.cancelAt]),
      ...o.data.items.flatMap((item) => (item.currentPeriodEnd === null ? [] : [item.currentPeriodEnd])),
    ]),
    ...sub.invoices.flatMap((invoice) => [
      invoice.created,
      ...invoice.data.lines.flatMap(({ periodStart, periodEnd }) =>
        [periodStart, periodEnd].filter((second) => second !== null),
      ),
    ]),
  ]);
  return [...new Set([DAWN, ...found])].sort((a, b) => a - b).map((second) => second * 1000);
}

/** The same facts in another order, some of them told again. The same `seed` gives the same order. */
export function shuffled(facts: UserFacts, seed: number): UserFacts {
  const random = randomFrom(seed);
  return {
    subscriptions: permuted(facts.subscriptions, random).map((sub) => ({
      subscription: sub.subscription,
      observations: repeated(sub.observations, random),
      invoices: repeated(sub.invoices, random),
      checkouts: repeated(sub.checkouts, random),
      payments: repeated(sub.payments, random),
      customerDeleted: sub.customerDeleted,
    })),
    ...(facts.purchases === undefined
      ? {}
      : {
          purchases: permuted(facts.purchases, random).map((purchase) => ({
            ...purchase,
            observations: repeated(purchase.observations, random),
            payments: repeated(purchase.payments, random),
          })),
        }),
    ...(facts.byHand === undefined
      ? {}
      : {
          byHand: {
            grants: permuted(facts.byHand.grants, random),
            overrides: permuted(facts.byHand.overrides, random),
          },
        }),
  };
}

function repeated<T>(list: readonly T[], random: () => number): T[] {
  return permuted([...list, ...list.filter(() => random() < 0.3)], random);
}

/** Fisher–Yates. */
function permuted<T>(list: readonly T[], random: () => number): T[] {
  const left = [...list];
  const out: T[] = [];
  while (left.length > 0) out.push(...left.splice(Math.floor(random() * left.length), 1));
  return out;
}

/** A linear congruential generator with the constants of Numerical Recipes: numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
