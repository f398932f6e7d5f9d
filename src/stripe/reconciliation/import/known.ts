import { isDeepStrictEqual } from 'node:util';
import type { EventStore } from '../../../event-store/event-store.js';
import { streamName } from '../../../events/stream-names.js';
import { isCustomerDeleted } from '../../../policy/customer-sights.js';
import { foldInvoices } from '../../../policy/invoices.js';
import { compareFactOrigins, orderObservations } from '../../../policy/order.js';
import { customerMetadata } from '../../../policy/ownership.js';
import { readStreamFacts, type StreamFacts } from '../stream-facts.js';
import type { ImportItem } from './import-item.js';
import { isPaymentKnown } from './known-payments.js';

/** What the log says to an item: it holds it; it would learn nothing new from it (DESIGN 5.4); or it would. */
export type Novelty = 'held' | 'nothing new' | 'new';

/** Looks into the stream of an item. */
export async function noveltyOf(
  store: Pick<EventStore, 'readPage'>,
  streamPrefix: string,
  item: ImportItem,
): Promise<Novelty> {
  const { category, id } = item;
  return noveltyIn(await readStreamFacts(store, streamName(streamPrefix, { category, id })), item);
}

/** As `noveltyOf`, of a stream that was read. Pure. */
export function noveltyIn(facts: StreamFacts, item: ImportItem): Novelty {
  const { observations, invoices, customers, checkouts, payments } = facts;
  const told = [...observations, ...invoices, ...customers, ...checkouts, ...payments];
  if (told.some(({ eventId }) => eventId === item.causation)) return 'held';
  return saysNothingNew(item, facts) ? 'nothing new' : 'new';
}

/** Whether what is newest by the stream is what Stripe shows. */
function saysNothingNew({ event }: ImportItem, facts: StreamFacts): boolean {
  const { observations, invoices, customers } = facts;
  switch (event.type) {
    case 'SubscriptionRetrieved': {
      const newest = orderObservations(observations).observations.at(-1);
      const shown = { ...newest?.data, previous: null, gone: false };
      return newest !== undefined && isDeepStrictEqual(shown, event.data);
    }
    case 'SubscriptionInvoiceRetrieved':
    case 'CustomerInvoiceRetrieved': {
      const [known] = foldInvoices(invoices.filter(({ data }) => data.invoice === event.data.invoice));
      return known !== undefined && isDeepStrictEqual(known.data, { subscription: '', ...event.data });
    }
    case 'CustomerRetrieved': {
      const { userId, deleted } = event.data;
      const isClaimed = userId === null || userId === customerMetadata(customers);
      return customers.length > 0 && isClaimed && deleted === isCustomerDeleted(customers);
    }
    case 'CheckoutRetrieved': {
      const ordered = [...facts.checkouts].sort(compareFactOrigins);
      const newest = ordered.at(-1);
      const listed = ordered.findLast(({ data }) => data.lineItems !== null)?.data.lineItems ?? null;
      // What Tenure started it to sell says as much as its line items would.
      const lineItems = listed ?? (facts.started === null ? null : event.data.lineItems);
      return newest !== undefined && isDeepStrictEqual({ ...newest.data, lineItems }, event.data);
    }
    case 'PaymentRetrieved':
      return isPaymentKnown(event.data, facts);
    case 'CustomerLinked':
      return facts.link === event.data.userId;
  }
}
