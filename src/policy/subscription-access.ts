import type { EntitlementStatus } from './entitlement.js';
import type { NamedPlan } from './price-book.js';
import { lineOfUnits, type TurningPoints, unitsThatStay } from './remains.js';
import { countUpTo, valueAt } from './stretches.js';
import type { Held, HeldAddon, SubscriptionState } from './subscription-state.js';

/**
 * What one subscription gives at one instant. `access` tells whether it gives any; `plan` what it gives in `units` of its
 * price, `null` when that is nothing; `addons` what counts beside it. `word` is what it says where no subscription gives the plan, `null` when it
 * has nothing to say. Times are Unix seconds.
 */
export interface SubscriptionAccess {
  readonly subscriptionState: SubscriptionState;
  readonly access: boolean;
  readonly plan: NamedPlan | null;
  readonly units: number;
  readonly status: 'active' | 'trialing' | 'past_due' | null;
  readonly periodEnd: number | null;
  readonly addons: readonly HeldAddon[];
  readonly word: EntitlementStatus | null;
}

const KNOWN_STATUSES: ReadonlySet<string> = new Set([
  'active',
  'trialing',
  'past_due',
  'unpaid',
  'paused',
  'incomplete',
  'incomplete_expired',
  'canceled',
]);

/** Whether a status is one that Stripe's enumeration has today; others give no access and are counted. */
export function isKnownStatus(status: string): boolean {
  return KNOWN_STATUSES.has(status);
}

/** Judges one subscription at `now` (Unix seconds, fractions allowed) by the table of DESIGN 8. */
export function subscriptionAccessAt(subscriptionState: SubscriptionState, now: number): SubscriptionAccess {
  const access = accessAt(subscriptionState, now);
  if (access === 'none') return nothing(subscriptionState, wordAt(subscriptionState, now));
  const paidOnly = access === 'paidOnly';
  const stays = paidOnly || subscriptionState.lost.plan;
  const given = stays ? planThatStays(subscriptionState, now) : subscriptionState.followed;
  const gives = given?.plan != null;
  const word = wordAt(subscriptionState, now);
  return {
    subscriptionState: subscriptionState,
    access: gives || !stays,
    plan: given?.plan ?? null,
    units: given?.units ?? 0,
    status: stays ? 'past_due' : access,
    periodEnd: given?.periodEnd ?? null,
    addons: addonsAt(subscriptionState, now, paidOnly),
    word: gives && word === 'unpaid' ? 'past_due' : word,
  };
}

/** Instants (Unix seconds) later than `now` at which time alone may change what this subscription gives. */
export function turningPoints(subscriptionState: SubscriptionState, now: number): TurningPoints {
  const { status, trialEnd, graceEnd, accessEnd, standstill, lost } = subscriptionState;
  const access = [trialEnd, graceEnd, accessEnd].flatMap((instant) =>
    instant !== null && instant > now ? [instant] : [],
  );
  if (standstill !== null || !isPaidOnlySome(subscriptionState)) return { access, dates: [] };
  const { turns } = subscriptionState.remains;
  // In grace everything counts that was not lost, paid or not.
  const isLost = lost.plan || lost.addons.size > 0;
  const from = status === 'past_due' && !isLost ? Math.max(graceEnd ?? now, now) : now;
  return {
    access: [...access, ...laterThan(turns.access, from)],
    dates: laterThan(turns.dates, from),
  };
}

/** Of ascending instants those after one. */
function laterThan(instants: readonly number[], one: number): readonly number[] {
  return instants.slice(countUpTo(instants, one, (instant) => instant));
}

/** Whether there is any time in which only what a paid line covers counts of it, or of a part of it. */
function isPaidOnlySome({ status, lost }: SubscriptionState): boolean {
  return status === 'past_due' || status === 'unpaid' || lost.plan || lost.addons.size > 0;
}

/** What a status gives at an instant: access, only what a paid line covers, or none. */
function accessAt(
  subscriptionState: SubscriptionState,
  now: number,
): 'active' | 'trialing' | 'past_due' | 'paidOnly' | 'none' {
  if (isOver(subscriptionState.accessEnd, now) || subscriptionState.collectionSuspended) return 'none';
  switch (subscriptionState.status) {
    case 'active':
      return 'active';
    case 'trialing':
      return isOver(subscriptionState.trialEnd, now) ? 'none' : 'trialing';
    case 'past_due':
      return isOver(subscriptionState.graceEnd, now) ? 'paidOnly' : 'past_due';
    case 'unpaid':
      return 'paidOnly';
    default:
      return 'none';
  }
}

/** What a subscription says where none gives the plan: the first word that fits, in the order of DESIGN 10. */
function wordAt(subscriptionState: SubscriptionState, now: number): EntitlementStatus | null {
  const { status, lost } = subscriptionState;
  if (status === 'canceled' || status === 'unpaid' || status === 'paused') return status;
  if (!isKnownStatus(status)) return 'unknown';
  if (isOver(subscriptionState.accessEnd, now)) return 'canceled';
  if (subscriptionState.collectionSuspended) return 'paused';
  if (lost.plan || lost.addons.size > 0) return 'unpaid';
  if (status === 'past_due' && isOver(subscriptionState.graceEnd, now)) return 'past_due';
  return null;
}

function nothing(subscriptionState: SubscriptionState, word: EntitlementStatus | null): SubscriptionAccess {
  return {
    subscriptionState: subscriptionState,
    access: false,
    plan: null,
    units: 0,
    status: null,
    periodEnd: null,
    addons: [],
    word,
  };
}

/** The plan that a line that paid covers, in the units it paid for, no more than are held. */
function planThatStays(subscriptionState: SubscriptionState, now: number): Omit<Held, 'price'> | null {
  const instant = subscriptionState.standstill ?? now;
  const line = valueAt(subscriptionState.remains.plan, instant);
  if (line === null) return null;
  const { followed } = subscriptionState;
  const own = followed?.plan === line.gives ? followed : null;
  const paid = lineOfUnits(subscriptionState.remains, line.gives, own?.price ?? null, instant) ?? line;
  const held = own?.units ?? subscriptionState.carriedUnits(paid.price) ?? paid.units;
  return { plan: line.gives, units: Math.min(paid.units, held), periodEnd: line.end };
}

/** Add-ons count beside a plan or without one, but not while the first period waits; what was lost stays where it was paid. */
function addonsAt(
  subscriptionState: SubscriptionState,
  now: number,
  paidOnly: boolean,
): readonly HeldAddon[] {
  if (subscriptionState.firstWaits && subscriptionState.followed === null) return [];
  const instant = subscriptionState.standstill ?? now;
  return subscriptionState.addons.flatMap((held) => {
    if (!paidOnly && !subscriptionState.lost.addons.has(held.name)) return [held];
    const units = Math.min(held.units, unitsThatStay(subscriptionState.remains, held.price, instant));
    return units > 0 ? [{ ...held, units }] : [];
  });
}

function isOver(end: number | null, now: number): boolean {
  return end !== null && now >= end;
}
