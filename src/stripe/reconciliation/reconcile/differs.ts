import { ambiguityOf, ambiguityOfCustomer } from '../ambiguity.js';
import type { ImportItem } from '../import/import-item.js';
import { type Novelty, noveltyIn } from '../import/known.js';
import { toldOfShown } from '../import/known-payments.js';
import type { StreamFacts } from '../stream-facts.js';

/**
 * What the log says to an answer of Stripe's API, by what its stream tells. As `noveltyIn`, but an answer that settles a
 * tie is new even where it says what the order of the tie came to (DESIGN 5.4), and one that is no later than what the log holds of the object says nothing new: a webhook came meanwhile, and an answer loses the ties of its
 * second. Pure.
 */
export function differs(facts: StreamFacts, item: ImportItem): Novelty {
  const novelty = noveltyIn(facts, item);
  if (novelty === 'held' || (novelty === 'nothing new' && !isInDoubt(facts, item))) return novelty;
  const newest = toldOf(item, facts).reduce((latest, { created }) => Math.max(latest, created), -1);
  return newest >= (item.answeredAt ?? 0) ? 'nothing new' : 'new';
}

/** Whether the order of a second's events leaves a doubt about a subscription or a customer. */
function isInDoubt({ observations, customers }: StreamFacts, { event }: ImportItem): boolean {
  switch (event.type) {
    case 'SubscriptionRetrieved':
      return ambiguityOf(observations, null) !== null;
    case 'CustomerRetrieved':
      return ambiguityOfCustomer(customers) !== null;
    default:
      return false;
  }
}

function toldOf(
  { event }: ImportItem,
  { observations, invoices, customers, checkouts, payments }: StreamFacts,
): readonly { readonly created: number }[] {
  switch (event.type) {
    case 'SubscriptionRetrieved':
      return observations;
    case 'SubscriptionInvoiceRetrieved':
    case 'CustomerInvoiceRetrieved':
      return invoices.filter(({ data }) => data.invoice === event.data.invoice);
    case 'CheckoutRetrieved':
      return checkouts;
    case 'PaymentRetrieved':
      return toldOfShown(event.data, payments);
    default:
      return customers;
  }
}
