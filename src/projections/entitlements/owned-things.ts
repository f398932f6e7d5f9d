import { isPurchase } from '../../policy/purchases.js';
import type { OwnedThing } from '../../policy/reasons/owner-reasons.js';
import type { KeptCheckout, KeptSubscription } from './kept-rows.js';
import type { WorkingSet } from './working-set.js';

/**
 * What in memory tells whose things are: those that are the user's, and those of these ids, which were ever said to be. Of a
 * customer that is not whole its own row alone tells.
 */
export function ownedThings(
  workingSet: WorkingSet,
  userId: string,
  named: ReadonlySet<string>,
): readonly OwnedThing[] {
  const isAsked = ({ owner }: KeptSubscription | KeptCheckout, id: string) =>
    owner === userId || named.has(id);
  const subscriptions = [...workingSet.subscriptions.values()]
    .filter((row) => isAsked(row, row.subscription) && row.observations.length > 0)
    .map(
      (row): OwnedThing => ({
        kind: 'subscription',
        id: row.subscription,
        customer: customerOf(workingSet, row.customer),
        claims: row,
      }),
    );
  const purchases = [...workingSet.checkouts.values()]
    .filter((row) => isAsked(row, row.session) && isPurchase(row.observations))
    .map(
      (row): OwnedThing => ({
        kind: 'purchase',
        id: row.session,
        customer: customerOf(workingSet, row.customer),
        claims: row,
      }),
    );
  return [...subscriptions, ...purchases];
}

function customerOf(workingSet: WorkingSet, id: string | null): OwnedThing['customer'] {
  const row = id === null ? undefined : workingSet.customers.get(id);
  if (id === null || row === undefined) return null;
  const isWhole = workingSet.wholeCustomers.has(id);
  return {
    id,
    word: row.word,
    claims: {
      link: row.link,
      observations: row.observations,
      checkouts: isWhole ? workingSet.checkoutClaimsOfCustomer(id) : [],
      subscriptions: isWhole ? workingSet.claimsOfCustomer(id) : [],
    },
  };
}
