import type { ImportItem } from '../import/import-item.js';
import { type Novelty, noveltyIn } from '../import/known.js';
import type { StreamFacts } from '../stream-facts.js';

/**
 * What the log says to an answer of Stripe's API, by what its stream tells. As `noveltyIn`, but an answer that is no later
 * than what the log holds of the object says nothing new: a webhook came meanwhile, and an answer loses the ties of its
 * second. Pure.
 */
export function differs(facts: StreamFacts, item: ImportItem): Novelty {
  const novelty = noveltyIn(facts, item);
  if (novelty !== 'new') return novelty;
  const newest = toldOf(item, facts).reduce((latest, { created }) => Math.max(latest, created), -1);
  return newest >= (item.answeredAt ?? 0) ? 'nothing new' : 'new';
}

function toldOf(
  { event }: ImportItem,
  { observations, invoices, customers, checkouts }: StreamFacts,
): readonly { readonly created: number }[] {
  switch (event.type) {
    case 'SubscriptionRetrieved':
      return observations;
    case 'SubscriptionInvoiceRetrieved':
    case 'CustomerInvoiceRetrieved':
      return invoices.filter(({ data }) => data.invoice === event.data.invoice);
    case 'CheckoutRetrieved':
      return checkouts;
    default:
      return customers;
  }
}
