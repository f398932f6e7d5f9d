import type { EntitlementStatus } from './entitlement.js';
import type { Settlement } from './payment-gate.js';
import type { NamedPlan } from './price-book.js';
import { lineOfUnits, type PlanLine, type TurningPoints, unitsThatStay } from './remains.js';
import { endsOf, lossRuleIn, statusRuleAt, WORDS, type WordRule, wordRuleAt } from './status-rules.js';
import type { HeldAddon, SubscriptionState } from './subscription-state.js';
import { GIVEN_BY, type StatusRule } from './subscription-statuses.js';
import { countUpTo, valueAt } from './time-intervals.js';
import type { LossRule } from './written-off.js';

/** What decided what a subscription gives at an instant. */
export type AccessRule =
  | StatusRule
  | Settlement['rule']
  | LossRule
  | 'paid_time_left'
  | 'paid_time_left_of_other_plan'
  | 'first_payment_awaited'
  | 'first_period_in_trial'
  | 'no_plan_item';

/**
 * What one subscription gives at one instant. `access` tells whether it gives any; `plan` what it gives in `units` of its
 * price, `null` when that is nothing; `addons` what counts beside it. `word` is what it says where no subscription gives the plan, `null` when it
 * has nothing to say. `rule` decided that, under `statusRule`; `line` is the paid one that a plan stays by. Times are Unix
 * seconds.
 */
export interface SubscriptionAccess {
  readonly kind: 'subscription';
  readonly subscriptionState: SubscriptionState;
  readonly access: boolean;
  readonly plan: NamedPlan | null;
  readonly units: number;
  readonly status: 'active' | 'trialing' | 'past_due' | null;
  readonly periodEnd: number | null;
  readonly addons: readonly HeldAddon[];
  readonly word: EntitlementStatus | null;
  readonly rule: AccessRule;
  readonly statusRule: StatusRule;
  readonly wordRule: WordRule | null;
  readonly line: PlanLine | null;
}

/** Judges one subscription at `now` (Unix seconds, fractions allowed) by the table of DESIGN 8. */
export function subscriptionAccessAt(subscriptionState: SubscriptionState, now: number): SubscriptionAccess {
  const statusRule = statusRuleAt(subscriptionState, now);
  const wordRule = wordRuleAt(subscriptionState, now);
  const access = GIVEN_BY[statusRule];
  if (access === 'none') return nothing(subscriptionState, statusRule, wordRule);
  if (access === 'paidOnly' || subscriptionState.lost.plan !== null) {
    return whatStays(subscriptionState, now, statusRule, wordRule);
  }
  const { followed } = subscriptionState;
  const gives = followed?.plan != null;
  return {
    kind: 'subscription',
    subscriptionState,
    access: true,
    plan: followed?.plan ?? null,
    units: followed?.units ?? 0,
    status: access,
    periodEnd: followed?.periodEnd ?? null,
    addons: addonsAt(subscriptionState, now, false),
    word: wordBeside(gives, wordRule),
    rule: ruleOfFollowed(subscriptionState),
    statusRule,
    wordRule,
    line: null,
  };
}

/** What a subscription gives of which only what a paid line covers stays. */
function whatStays(
  subscriptionState: SubscriptionState,
  now: number,
  statusRule: StatusRule,
  wordRule: WordRule | null,
): SubscriptionAccess {
  const paidOnly = GIVEN_BY[statusRule] === 'paidOnly';
  const { line, plan, units, periodEnd } = planThatStays(subscriptionState, now);
  const isLeft = plan !== null;
  return {
    kind: 'subscription',
    subscriptionState,
    access: isLeft,
    plan,
    units,
    status: 'past_due',
    periodEnd,
    addons: addonsAt(subscriptionState, now, paidOnly),
    word: wordBeside(isLeft, wordRule),
    rule: isLeft
      ? ruleOfStay(subscriptionState, plan)
      : paidOnly
        ? statusRule
        : (lossRuleIn(subscriptionState.lost) ?? statusRule),
    statusRule,
    wordRule,
    line,
  };
}

/** What it says where no subscription gives the plan; one that still gives what was paid for is not `unpaid` (DESIGN 10). */
function wordBeside(gives: boolean, rule: WordRule | null): EntitlementStatus | null {
  const word = rule === null ? null : WORDS[rule];
  return gives && word === 'unpaid' ? 'past_due' : word;
}

/** Why the plan period is followed that is, or why none is. */
function ruleOfFollowed({ followed, gate }: SubscriptionState): AccessRule {
  if (followed === null) return gate.firstWaits ? 'first_payment_awaited' : 'no_plan_item';
  if (followed.plan === null) return 'no_plan_item';
  return gate.settled?.rule ?? 'first_period_in_trial';
}

function ruleOfStay({ followed }: SubscriptionState, plan: NamedPlan): AccessRule {
  return followed?.plan?.name === plan.name ? 'paid_time_left' : 'paid_time_left_of_other_plan';
}

/** Instants (Unix seconds) later than `now` at which time alone may change what this subscription gives. */
export function turningPoints(subscriptionState: SubscriptionState, now: number): TurningPoints {
  const { status, graceEnd, standstill, lost } = subscriptionState;
  const access: number[] = [];
  for (const { at } of endsOf(subscriptionState)) if (at > now) access.push(at);
  if (standstill !== null || !isPaidOnlySome(subscriptionState)) return { access, dates: [] };
  const { turns } = subscriptionState.remains();
  // In grace everything counts that was not lost, paid or not.
  const isLost = lossRuleIn(lost) !== null;
  const from = status === 'past_due' && !isLost ? Math.max(graceEnd ?? now, now) : now;
  return {
    access: [...access, ...laterThan(turns.access, from)],
    dates: laterThan(turns.dates, from),
  };
}

/** Whether time alone changes nothing of what a subscription gives after `now` (Unix seconds). */
export function isAtRest(subscriptionState: SubscriptionState, now: number): boolean {
  const { access, dates } = turningPoints(subscriptionState, now);
  return access.length === 0 && dates.length === 0;
}

/** Instants after one, of ascending ones. */
function laterThan(instants: readonly number[], one: number): readonly number[] {
  return instants.slice(countUpTo(instants, one, (instant) => instant));
}

/** Whether there is any time in which only what a paid line covers counts of it, or of a part of it. */
function isPaidOnlySome({ status, lost }: SubscriptionState): boolean {
  return status === 'past_due' || status === 'unpaid' || lossRuleIn(lost) !== null;
}

function nothing(
  subscriptionState: SubscriptionState,
  statusRule: StatusRule,
  wordRule: WordRule | null,
): SubscriptionAccess {
  return {
    kind: 'subscription',
    subscriptionState,
    access: false,
    plan: null,
    units: 0,
    status: null,
    periodEnd: null,
    addons: [],
    word: wordRule === null ? null : WORDS[wordRule],
    rule: statusRule,
    statusRule,
    wordRule,
    line: null,
  };
}

/** The plan that a line that paid covers, in the units it paid for, no more than are held. */
function planThatStays(
  subscriptionState: SubscriptionState,
  now: number,
): Pick<SubscriptionAccess, 'plan' | 'units' | 'periodEnd' | 'line'> {
  const instant = subscriptionState.standstill ?? now;
  const line = valueAt(subscriptionState.remains().plan, instant);
  if (line === null) return { plan: null, units: 0, periodEnd: null, line };
  const { followed } = subscriptionState;
  const own = followed?.plan === line.gives ? followed : null;
  const paid = lineOfUnits(subscriptionState.remains(), line.gives, own?.price ?? null, instant) ?? line;
  const held = own?.units ?? subscriptionState.carriedUnits(paid.price) ?? paid.units;
  return { plan: line.gives, units: Math.min(paid.units, held), periodEnd: line.end, line };
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
    const units = Math.min(held.units, unitsThatStay(subscriptionState.remains(), held.price, instant));
    return units > 0 ? [{ ...held, units }] : [];
  });
}
