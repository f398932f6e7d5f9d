import type { Access } from '../access.js';
import type { SubscriptionFacts } from '../facts.js';
import { compareFactOrigins } from '../order.js';
import type { SubscriptionAccess } from '../subscription-access.js';
import { eventsOf, type Reason, reasonOf, timeOf } from './reason.js';
import { subscriptionEvidence } from './subscription-evidence.js';
import { waitingReason } from './waiting-reason.js';

/** A source of access by its id, with the reason of what it gives; without access where a subscription was never seen itself. */
export interface Explained {
  readonly id: string;
  readonly accesses: readonly Access[];
  readonly reason: Reason;
}

/** Why each subscription gives what it gives, counting or not, in the order of `subscriptions`; `now` is Unix seconds. */
export function subscriptionReasons(
  subscriptions: readonly SubscriptionFacts[],
  accesses: readonly SubscriptionAccess[],
  now: number,
  deletedBy: ReadonlyMap<string, string>,
): readonly Explained[] {
  const known = new Map(accesses.map((access) => [access.subscriptionState.subscription, access]));
  return subscriptions.map((facts) => {
    const { subscription } = facts;
    const access = known.get(subscription) ?? null;
    const reason = access === null ? neverSeen(facts) : reasonOfAccess(access, now, deletedBy);
    return { id: subscription, accesses: access === null ? [] : [access], reason };
  });
}

/** The rule that decided, and what waits to be paid for beside it. */
function reasonOfAccess(
  access: SubscriptionAccess,
  now: number,
  deletedBy: ReadonlyMap<string, string>,
): Reason {
  const { subscription, awaited } = access.subscriptionState;
  const reason = reasonOf(
    `subscription:${subscription}`,
    access.rule,
    subscriptionEvidence(access, now, deletedBy),
  );
  if (awaited === null || (access.plan === null && access.rule !== 'first_payment_awaited')) return reason;
  return { ...reason, words: `${reason.words} ${waitingReason(subscription, awaited).words}` };
}

function neverSeen({ subscription, invoices, checkouts }: SubscriptionFacts): Reason {
  const byId = new Map([...invoices, ...checkouts].map((fact) => [fact.eventId, fact]));
  const told = [...byId.values()].sort(compareFactOrigins);
  return reasonOf(`subscription:${subscription}`, 'never_seen', {
    facts: { subscription, seenAt: told.map(timeOf) },
    events: eventsOf(...told),
  });
}
