import type { EventStore } from '../../../event-store/event-store.js';
import { streamName } from '../../../events/stream-names.js';
import type { ImportItem } from '../import/import-item.js';
import { type Novelty, noveltyOf } from '../import/known.js';
import { readStreamFacts } from '../stream-facts.js';

/**
 * What the log says to an answer of Stripe's API. As `noveltyOf`, but an answer that is no later than what the log holds of
 * the object says nothing new: a webhook came meanwhile, and an answer loses the ties of its second.
 */
export async function differs(
  store: Pick<EventStore, 'readPage'>,
  streamPrefix: string,
  item: ImportItem,
): Promise<Novelty> {
  const novelty = await noveltyOf(store, streamPrefix, item);
  if (novelty !== 'new') return novelty;
  const facts = await readStreamFacts(store, streamName(streamPrefix, item));
  const told = toldOf(item, facts);
  const newest = told.reduce((latest, { created }) => Math.max(latest, created), -1);
  return newest >= (item.answeredAt ?? 0) ? 'nothing new' : 'new';
}

function toldOf(
  { event }: ImportItem,
  { observations, invoices, customers }: Awaited<ReturnType<typeof readStreamFacts>>,
): readonly { readonly created: number }[] {
  switch (event.type) {
    case 'SubscriptionRetrieved':
      return observations;
    case 'SubscriptionInvoiceRetrieved':
    case 'CustomerInvoiceRetrieved':
      return invoices.filter(({ data }) => data.invoice === event.data.invoice);
    default:
      return customers;
  }
}
