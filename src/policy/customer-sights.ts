import type { FactOrigin } from './facts.js';
import { compareText } from './order.js';

/** One sight of a customer that bears on ownership: the claim in its own metadata, `null` when it has none. */
export interface CustomerObservation extends FactOrigin {
  readonly userId: string | null;
}

/** Whether a customer was seen deleted at Stripe: that is for good. */
export function isCustomerDeleted(observations: readonly CustomerObservation[]): boolean {
  return observations.some(({ stripeType }) => stripeType === 'customer.deleted');
}

/**
 * What of the sights of a customer can ever matter: the newest that claims it, what of its second claims it for somebody
 * else, the newest that tells of its end, and the newest of the others. A customer seen ten thousand times is kept as one
 * seen four times.
 */
export function thatMatter(observations: readonly CustomerObservation[]): readonly CustomerObservation[] {
  const ordered = [...observations].sort(compareCustomerObservations);
  const claiming = ordered.findLast(({ userId }) => userId !== null);
  const kept = [
    claiming,
    ordered.findLast((other) => claiming !== undefined && isRival(claiming, other)),
    ordered.findLast(({ stripeType }) => stripeType === 'customer.deleted'),
    ordered.at(-1),
  ];
  return ordered.filter((observation) => kept.includes(observation));
}

/** Whether two updates of one second claim a customer for two users: which came last only Stripe can say (DESIGN 5.4). */
function isRival(claiming: CustomerObservation, other: CustomerObservation): boolean {
  return (
    other.userId !== null &&
    other.userId !== claiming.userId &&
    other.created === claiming.created &&
    other.stripeType === claiming.stripeType &&
    other.stripeType === 'customer.updated'
  );
}

/** Within a second what was retrieved stands before what was delivered, and a customer is created first and deleted last. */
export function compareCustomerObservations(a: CustomerObservation, b: CustomerObservation): number {
  return a.created - b.created || rank(a) - rank(b) || compareText(a.eventId, b.eventId);
}

function rank({ stripeType }: FactOrigin): number {
  if (stripeType === '') return -1;
  if (stripeType === 'customer.created') return 0;
  return stripeType === 'customer.deleted' ? 2 : 1;
}
