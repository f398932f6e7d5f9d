import { isOfSubscription } from '../access.js';
import type { Combination } from '../combine.js';
import type { Entitlement } from '../entitlement.js';
import { turnsOfGrant } from '../grants.js';
import { endOfOverride } from '../overrides.js';
import { endsOf } from '../status-rules.js';
import { type SubscriptionAccess, turningPoints } from '../subscription-access.js';
import { rfc3339 } from '../time.js';
import { grantEvidence, overrideEvidence } from './by-hand-reasons.js';
import { lineEvidence } from './period-evidence.js';
import { type Evidence, eventsOf, type Reason, reasonOf, timeOf } from './reason.js';
import type { ReasonCode } from './rules.js';
import type { Explained } from './subscription-reasons.js';

/** Why access, or the period that is paid, ends when the snapshot says; none of what does not end. */
export function timeReasons(
  combination: Combination,
  { validUntil }: Pick<Entitlement, 'validUntil'>,
  explained: readonly Explained[],
  now: number,
): readonly Reason[] {
  const reasons: Reason[] = [];
  const accesses = combination.accesses.filter(isOfSubscription);
  const best = combination.best !== null && isOfSubscription(combination.best) ? combination.best : null;
  if (best?.periodEnd != null) reasons.push(expiryReason(best, best.periodEnd));
  const { cancelAt = null, cancelRule = null } = best?.subscriptionState ?? {};
  if (best !== null && cancelAt !== null && cancelRule !== null) {
    const { subscription, newest, itemsFrom } = best.subscriptionState;
    reasons.push(
      reasonOf('cancelAt', cancelRule, {
        facts: {
          subscription,
          at: rfc3339(cancelAt),
          seenAt: timeOf(newest),
          itemsSeenAt: timeOf(itemsFrom),
        },
        events: eventsOf(newest, cancelRule === 'cancel_at_period_end' ? itemsFrom : null),
      }),
    );
  }
  const granted = combination.best?.kind === 'grant' ? combination.best : null;
  if (granted?.periodEnd != null) {
    const { facts, events } = grantEvidence(granted.grant);
    const plan = granted.plan?.name ?? null;
    reasons.push(
      reasonOf('expiresAt', 'end_of_grant', { facts: { ...facts, plan, at: facts.endsAt ?? null }, events }),
    );
  }
  const end = validUntil === null ? null : validityOf(accesses, validUntil, now);
  if (validUntil !== null && end === null) return [...reasons, ...byHandTurn(combination, validUntil)];
  const stopped = accesses.find(
    ({ access, subscriptionState }) => access && subscriptionState.standstill !== null,
  );
  const by = end?.access ?? (validUntil === null ? stopped : undefined);
  if (by === undefined) return reasons;
  const evidence = explained.find((each) => each.accesses.includes(by))?.reason;
  const { subscription } = by.subscriptionState;
  reasons.push(
    reasonOf('validUntil', end?.rule ?? 'test_clock', {
      facts: { ...evidence?.facts, subscription, at: validUntil },
      events: evidence?.events ?? [],
    }),
  );
  return reasons;
}

function expiryReason(best: SubscriptionAccess, end: number): Reason {
  const { subscriptionState, line, plan } = best;
  const { subscription, followed } = subscriptionState;
  const common = { subscription, plan: plan?.name ?? null, at: rfc3339(end) };
  if (line !== null) {
    const { facts, events } = lineEvidence(line, subscriptionState.book);
    const paid = { ...facts, invoicedOn: facts.on ?? null };
    return reasonOf('expiresAt', 'end_of_paid_line', { facts: { ...paid, ...common }, events });
  }
  return reasonOf('expiresAt', 'period_end_of_item', {
    facts: { ...common, price: followed?.price ?? null, seenAt: timeOf(followed?.periodFrom) },
    events: eventsOf(followed?.periodFrom),
  });
}

/** The grant, else the override, that begins or ends at an instant. */
function byHandTurn(combination: Combination, validUntil: string): readonly Reason[] {
  const at = Date.parse(validUntil);
  const reason = (code: ReasonCode, { facts, events }: Evidence): readonly Reason[] => [
    reasonOf('validUntil', code, { facts: { ...facts, at: validUntil }, events }),
  ];
  for (const access of combination.accesses) {
    if (access.kind !== 'grant' || !turnsOfGrant(access.grant).includes(at)) continue;
    const { grant } = access;
    return reason(grant.endsAt === at ? 'grant_ends' : 'grant_starts', grantEvidence(grant));
  }
  const override = combination.overrides.find(
    ({ facts }) => facts.removed === null && endOfOverride(facts) === at,
  );
  return override === undefined ? [] : reason('override_ends', overrideEvidence(override, combination));
}

/** The subscription that turns at an instant, and by what: the first by id. */
function validityOf(
  accesses: readonly SubscriptionAccess[],
  validUntil: string,
  now: number,
): { readonly access: SubscriptionAccess; readonly rule: ReasonCode } | null {
  const isThen = (second: number): boolean => Math.ceil(second * 1000) === Date.parse(validUntil);
  for (const access of accesses) {
    const end = endsOf(access.subscriptionState).find(({ at }) => isThen(at));
    if (end !== undefined) return { access, rule: end.rule };
  }
  const turning = accesses.find(({ subscriptionState }) => {
    const turns = turningPoints(subscriptionState, now / 1000);
    return [...turns.access, ...turns.dates].some(isThen);
  });
  return turning === undefined ? null : { access: turning, rule: 'paid_time_ends' };
}
