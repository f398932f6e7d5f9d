import type { EntitlementStatus } from './entitlement.js';
import type { SubscriptionState } from './subscription-state.js';
import { GIVEN_BY, RULE_OF_STATUS, type StatusRule } from './subscription-statuses.js';
import { type LossRule, type Lost, lossRuleOf } from './written-off.js';

/** What a subscription says by each rule where none gives the plan (DESIGN 10). */
export const WORDS = {
  status_canceled: 'canceled',
  customer_deleted: 'canceled',
  status_unpaid: 'unpaid',
  status_paused: 'paused',
  status_unknown: 'unknown',
  cancellation_reached: 'canceled',
  collection_paused: 'paused',
  written_off: 'unpaid',
  disputed: 'unpaid',
  refunded_in_full: 'unpaid',
  grace_over: 'past_due',
} as const satisfies Readonly<Record<string, EntitlementStatus>>;

/** Why a subscription says its word. */
export type WordRule = keyof typeof WORDS;

/** What takes access at an instant that is known beforehand. */
export type EndRule = 'trial_ends' | 'grace_ends' | 'cancellation_comes';

/** The rule that decides what the status of a subscription gives at an instant (Unix seconds). */
export function statusRuleAt(subscriptionState: SubscriptionState, now: number): StatusRule {
  const rule = ruleOfStatus(subscriptionState);
  if (GIVEN_BY[rule] === 'none') return rule;
  const { trialEnd, graceEnd, accessEnd, collectionSuspended } = subscriptionState;
  if (isOver(accessEnd, now)) return 'cancellation_reached';
  if (collectionSuspended) return 'collection_paused';
  if (rule === 'status_trialing' && isOver(trialEnd, now)) return 'trial_over';
  if (rule === 'status_past_due' && isOver(graceEnd, now)) return 'grace_over';
  return rule;
}

/** What a subscription says where none gives the plan: the first rule that fits, in the order of DESIGN 10. */
export function wordRuleAt(subscriptionState: SubscriptionState, now: number): WordRule | null {
  const rule = ruleOfStatus(subscriptionState);
  switch (rule) {
    case 'status_canceled':
    case 'customer_deleted':
    case 'status_unpaid':
    case 'status_paused':
    case 'status_unknown':
      return rule;
    default:
  }
  if (isOver(subscriptionState.accessEnd, now)) return 'cancellation_reached';
  if (subscriptionState.collectionSuspended) return 'collection_paused';
  const loss = lossRuleIn(subscriptionState.lost);
  if (loss !== null) return loss;
  return rule === 'status_past_due' && isOver(subscriptionState.graceEnd, now) ? 'grace_over' : null;
}

/** Why anything was lost, of the plan before an add-on; `null` where nothing was. */
export function lossRuleIn({ plan, addons }: Lost): LossRule | null {
  const lost = plan ?? [...addons.values()][0] ?? null;
  return lost === null ? null : lossRuleOf(lost);
}

/** The instants (Unix seconds) at which the clock takes access from a subscription, each with its rule. */
export function endsOf({
  trialEnd,
  graceEnd,
  accessEnd,
}: SubscriptionState): readonly { readonly rule: EndRule; readonly at: number }[] {
  const ends: { rule: EndRule; at: number }[] = [];
  if (trialEnd !== null) ends.push({ rule: 'trial_ends', at: trialEnd });
  if (graceEnd !== null) ends.push({ rule: 'grace_ends', at: graceEnd });
  if (accessEnd !== null) ends.push({ rule: 'cancellation_comes', at: accessEnd });
  return ends;
}

function ruleOfStatus({ status, statusFrom }: SubscriptionState): StatusRule {
  if (statusFrom === null) return 'customer_deleted';
  return RULE_OF_STATUS.get(status) ?? 'status_unknown';
}

function isOver(end: number | null, now: number): boolean {
  return end !== null && now >= end;
}
