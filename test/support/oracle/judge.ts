import { isDeepStrictEqual } from 'node:util';
import type { Plan, PlanCatalog } from '../../../src/events/catalog.events.js';
import type { SubscriptionItem } from '../../../src/events/subscription.events.js';
import type {
  AdoptedPrice,
  Entitlement,
  EntitlementStatus,
  Judgement,
  Successor,
} from '../../../src/policy/entitlement.js';
import type { UserFacts } from '../../../src/policy/facts.js';
import { grantsAt, type HeldGrant, instantsByHand, overriddenAt } from './by-hand.js';
import { limitsOf } from './limits.js';
import { TERMINAL } from './order.js';
import { pendingOf } from './pending.js';
import { type Bought, boughtBy } from './purchases.js';
import { END_OF_TIME, type Understood, understand } from './subscription.js';
import {
  type Given,
  type SubscriptionAccess,
  subscriptionAccess,
  type Units,
} from './subscription-access.js';

/** A subscription and where it stands at the instant asked about. */
interface Placed {
  readonly sub: Understood;
  readonly at: SubscriptionAccess;
}

/** An entitlement before it is known how long it holds. */
type Momentary = Omit<Entitlement, 'validUntil'>;

/**
 * Second, independent implementation of the access policy, written from DESIGN 5.3, 7, 8 and 10 alone, for tests to hold
 * src/policy against. Slow and plain: successors are found by asking at every instant that could matter. `now` is
 * Unix milliseconds. Choices where the text leaves room are in READINGS.md.
 */
export function oracleJudge(facts: UserFacts, catalog: PlanCatalog, now: number): Judgement {
  const subs = facts.subscriptions
    .map((one) => understand(one, catalog))
    .filter((sub) => sub !== undefined)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const timeline: { at: number; momentary: Momentary }[] = [
    { at: now, momentary: momentAt(subs, facts, catalog, now) },
  ];
  for (const at of instants(facts, catalog).filter((instant) => instant > now)) {
    const momentary = momentAt(subs, facts, catalog, at);
    if (!isDeepStrictEqual(momentary, timeline.at(-1)?.momentary)) timeline.push({ at, momentary });
  }
  // READINGS 52.
  const foreseen = timeline.filter(({ momentary }, i) => {
    const before = timeline[i - 1]?.momentary;
    return i <= 16 || before === undefined || !isDeepStrictEqual(material(momentary), material(before));
  });
  const [entitlement, ...successors] = foreseen.map(
    ({ at, momentary }, i): Successor => ({
      at,
      entitlement: { ...momentary, validUntil: endOf(momentary, foreseen.slice(i + 1)) },
    }),
  );
  if (entitlement === undefined) throw new Error('a timeline has its own beginning');
  return { entitlement: entitlement.entitlement, successors, adoptedPrices: adoptedBy(subs) };
}

function endOf(held: Momentary, later: readonly { at: number; momentary: Momentary }[]): string | null {
  const next = later.find(({ momentary }) => !isDeepStrictEqual(material(momentary), material(held)));
  return next === undefined ? null : new Date(next.at).toISOString();
}

function material({ role, plan, status, features, limits }: Momentary) {
  return { role, plan, status, features, limits };
}

/** Every instant at which any rule could change its answer. Unix milliseconds, ascending. */
function instants(facts: UserFacts, { policy }: PlanCatalog): number[] {
  const offsets = [
    0,
    policy.trialEndSlackHours * 3_600_000,
    policy.pastDueGraceDays * 86_400_000,
    policy.trialGraceDays * 86_400_000,
    policy.neverPaidGraceDays * 86_400_000,
  ];
  const periods = (items: readonly SubscriptionItem[]) =>
    items.flatMap((item) => [item.currentPeriodStart, item.currentPeriodEnd]);
  const seconds = facts.subscriptions.flatMap((sub) => [
    ...sub.observations.flatMap((o) => [
      o.created,
      o.data.cancelAt,
      o.data.trialEnd,
      ...periods(o.data.previous?.items ?? []),
      ...periods(o.data.items),
    ]),
    ...sub.invoices.flatMap((i) => [
      i.created,
      ...i.data.lines.flatMap((line) => [line.periodStart, line.periodEnd]),
    ]),
  ]);
  const found = new Set<number>(instantsByHand(facts.byHand));
  for (const second of new Set(seconds)) {
    if (second === null) continue;
    for (const offset of offsets) found.add(Math.min(second * 1000 + offset, END_OF_TIME));
  }
  return [...found].sort((a, b) => a - b);
}

function momentAt(
  subs: readonly Understood[],
  { byHand, purchases = [] }: UserFacts,
  catalog: PlanCatalog,
  now: number,
): Momentary {
  const grants = grantsAt(byHand, catalog, now);
  const bought = boughtBy(purchases, catalog);
  const placed = subs.map((sub) => ({ sub, at: subscriptionAccess(sub, now) }));
  const givers = placed
    .flatMap(({ sub, at }): Giver[] => (at.gives === null ? [] : [{ sub, id: sub.id, gives: at.gives }]))
    .concat(grants.flatMap((grant) => granting(grant, catalog)))
    .concat(
      bought.flatMap(({ id, customer, plans }) =>
        plans.map(({ plan, quantity }) => ({
          sub: null,
          id,
          source: { type: 'purchase', sessionId: id, customerId: customer },
          gives: { plan, quantity, status: 'active', periodEnd: null },
        })),
      ),
    )
    .sort((a, b) => compareGivers(a, b));
  const fallback = catalog.plans[catalog.default];
  if (fallback === undefined) throw new Error(`the default plan ${catalog.default} is not in the catalogue`);
  const [highest] = givers;
  const giver = highest !== undefined && highest.gives.plan.plan.rank >= fallback.rank ? highest : undefined;
  const cancelAt = giver?.sub?.cancelAt ?? null;
  const units = [...placed.flatMap(({ at }) => at.addons), ...grants.flatMap(({ addons }) => addons)];
  const held = {
    role: giver?.gives.plan.plan.role ?? fallback.role,
    plan: giver?.gives.plan.name ?? catalog.default,
    status: giver?.gives.status ?? wordAmong(placed, bought),
    features: featuresOf(
      fallback,
      givers.map(({ gives }) => gives.plan.plan),
      units,
      grants.flatMap(({ features }) => features),
    ),
    limits: limitsOf(
      fallback,
      givers.map(({ gives }) => gives),
      units,
      grants.map(({ limits }) => limits),
    ),
    subscriptionActive: givers.some(({ sub }) => sub !== null),
    expiresAt: secondsToIso(giver?.gives.periodEnd ?? null),
    cancelAt: cancelAt === null ? null : new Date(cancelAt).toISOString(),
    pendingPayment: pendingOf(placed),
    source: giver === undefined ? null : sourceOf(giver),
    unmappedPrices: unmappedOf(subs),
  };
  return overriddenAt(held, byHand, catalog, now);
}

/** What gives a plan: a subscription, or, without one, a grant. */
interface Giver {
  readonly sub: Understood | null;
  readonly id: string;
  /** Of a purchase. */
  readonly source?: Entitlement['source'];
  readonly gives: Omit<Given, 'status'> & { readonly status: Given['status'] | 'granted' };
}

function granting({ id, planName, endsAt }: HeldGrant, { plans }: PlanCatalog): Giver[] {
  const plan = planName === null ? undefined : plans[planName];
  if (planName === null || plan === undefined) return [];
  const periodEnd = endsAt === null ? null : endsAt / 1000;
  const meaning = { kind: 'plan', name: planName, plan } as const;
  return [{ sub: null, id, gives: { plan: meaning, status: 'granted', quantity: 1, periodEnd } }];
}

function sourceOf({ sub, id, source }: Giver): Entitlement['source'] {
  if (source !== undefined) return source;
  return sub === null
    ? { type: 'grant', grantId: id }
    : { type: 'subscription', subscriptionId: id, customerId: newestCustomer(sub) };
}

function featuresOf(
  fallback: Plan,
  plans: readonly Plan[],
  units: readonly Units[],
  granted: readonly string[],
): string[] {
  const sources = [fallback, ...plans, ...units.map(({ addon }) => addon)];
  return [...new Set([...sources.flatMap(({ features }) => features), ...granted])].sort();
}

function newestCustomer(sub: Understood): string | null {
  return sub.ordered.map((o) => o.data.customer).findLast((customer) => customer !== null) ?? null;
}

const STATUS_ORDER = ['active', 'trialing', 'granted', 'past_due'];

/** No end of a subscription is the earliest, of a grant the latest. */
function endFor({ sub, gives: { periodEnd } }: Giver): number {
  return periodEnd ?? (sub === null ? Number.MAX_SAFE_INTEGER : -1);
}

function compareGivers(a: Giver, b: Giver): number {
  return (
    b.gives.plan.plan.rank - a.gives.plan.plan.rank ||
    STATUS_ORDER.indexOf(a.gives.status) - STATUS_ORDER.indexOf(b.gives.status) ||
    endFor(b) - endFor(a) ||
    (a.id < b.id ? -1 : 1)
  );
}

function wordAmong(placed: readonly Placed[], bought: readonly Bought[]): EntitlementStatus {
  const speaking = [
    ...placed.map(({ sub, at }) => ({ word: at.word, seen: sub.newest.created, id: sub.id })),
    ...bought,
  ]
    .filter(({ word }) => word !== null)
    .sort((a, b) => a.seen - b.seen || (a.id < b.id ? -1 : 1));
  return speaking.at(-1)?.word ?? 'none';
}

function unmappedOf(subs: readonly Understood[]): string[] {
  const prices = subs
    .filter((sub) => !TERMINAL.includes(sub.status))
    .flatMap((sub) =>
      (sub.newestItems?.data.items ?? [])
        .filter((item) => sub.prices.meaningOf(item.price).kind === 'unmapped')
        .map((item) => item.price),
    );
  return [...new Set(prices)].sort();
}

function adoptedBy(subs: readonly Understood[]): AdoptedPrice[] {
  const found = new Map<string, AdoptedPrice>();
  for (const { status, newestItems, prices } of subs) {
    if (TERMINAL.includes(status)) continue;
    for (const { price } of newestItems?.data.items ?? []) {
      const meaning = prices.meaningOf(price);
      if (meaning.kind === 'plan' && prices.isAdopted(price)) {
        found.set(`${price} ${meaning.name}`, { price, plan: meaning.name });
      }
    }
  }
  return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, adopted]) => adopted);
}

function secondsToIso(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}
