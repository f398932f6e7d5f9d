import { accessKey, accessStateOf } from '../../policy/access-fields.js';
import type { Observation } from '../../policy/facts.js';
import { isTerminal, orderObservations } from '../../policy/order.js';

/**
 * What only Stripe can say of a subscription (DESIGN 5.4). `about` names the doubt and is the key by which the answer
 * counts once. An answer settles it only when it is of a later second (Unix) than `after`: it loses ties.
 */
export interface Ambiguity {
  readonly about: string;
  readonly after: number;
}

/**
 * What is in doubt about a subscription, `null` when nothing is: where nothing was observed of it and a completed
 * checkout `session` names it; where the newest observation has its items cut; where the newest second holds a tie
 * whose orders end in different access. A subscription that has ended, and what came before the newest second, is
 * settled by what came later. Pure; a function of the set of `observations`.
 */
export function ambiguityOf(
  subscription: string,
  observations: readonly Observation[],
  session: string | null,
): Ambiguity | null {
  const { observations: ordered, tiedAt } = orderObservations(observations);
  const newest = ordered.at(-1);
  if (newest === undefined) return session === null ? null : doubt(`${subscription} of ${session}`, -1);
  if (ordered.some(({ data }) => isTerminal(data.status))) return null;
  if (tiedAt === newest.created && endsDiffer(ordered, tiedAt))
    return doubt(`${subscription} at ${tiedAt}`, tiedAt);
  // One that Stripe's API itself gave cut is no better asked for again.
  const isCut = newest.data.itemsTruncated && newest.type !== 'SubscriptionRetrieved';
  return isCut ? doubt(`items of ${newest.eventId}`, newest.created) : null;
}

/** Idempotency keys of callers hold no space: a key of ours is never one of theirs. */
function doubt(what: string, after: number): Ambiguity {
  return { about: `retrieved: ${what}`, after };
}

/** Whether it matters for access which observation of a second is its last. */
function endsDiffer(ordered: readonly Observation[], second: number): boolean {
  const ends = ordered.filter(
    ({ created, type, stripeType }) =>
      created === second &&
      type !== 'SubscriptionRetrieved' &&
      stripeType !== 'customer.subscription.created',
  );
  return new Set(ends.map((observation) => accessKey(accessStateOf(observation)))).size > 1;
}
