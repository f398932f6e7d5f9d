import { streamName } from '../../../events/stream-names.js';
import type { ListedObject, PageAnswer } from '../../gateway/stripe-answers.js';
import { pageOf } from '../../gateway/stripe-lists.js';
import { field, idOf } from '../../translate/read-json.js';
import { AnswerAheadError, isAhead, type UnusableObject } from '../answers.js';
import { INVOICE_PAYMENTS, invoicesPaidBy, isPlaced, readInvoicesPaid } from '../payment-invoices.js';
import { readStreamFacts } from '../stream-facts.js';
import type { ImportItem } from './import-item.js';
import { type ImportPage, type ImportPagesOptions, itemOf, recordedAs, shownAs } from './list-page.js';

/**
 * A page of disputes, refunds or early fraud warnings with the invoices that their payments paid, of those of which the log does not tell, and
 * beside these the newest hundred paid invoices of their subscriptions: what one of them asked for may be lost, and what the
 * others paid for stays.
 * @throws StripeUnansweredError, AnswerAheadError
 */
export async function withInvoicesPaid(options: ImportPagesOptions, page: ImportPage): Promise<ImportPage> {
  const items = new Map(page.items.map((item) => [item.causation, item]));
  const unusable = new Map(page.unusable.map((object) => [object.id, object]));
  const add = (found: ImportItem | UnusableObject | null): void => {
    if (found === null) return;
    if ('why' in found) unusable.set(found.id, found);
    else items.set(found.causation, found);
  };
  const subscriptions = new Set<string>();
  for (const item of await toPlace(options, page.items)) {
    const query = invoicesPaidBy(item.data);
    if (query === null) continue;
    const answer = await asked(options, INVOICE_PAYMENTS, { ...query, 'expand[0]': 'data.invoice' });
    for (const read of readInvoicesPaid(item.data, options.job, answer, options)) {
      if (read.outcome === 'recorded') add(recordedAs(read));
    }
    for (const subscription of answer.objects.flatMap(subscriptionOf)) subscriptions.add(subscription);
  }
  for (const subscription of subscriptions) {
    const answer = await asked(options, '/v1/invoices', { subscription, status: 'paid' });
    for (const invoice of answer.objects) {
      for (const shown of shownAs('invoice', invoice, hasCutLines)) add(await itemOf(options, shown, answer));
    }
  }
  return { ...page, items: [...items.values()], unusable: [...unusable.values()] };
}

type OfPayment = Extract<ImportItem['event'], { type: 'PaymentRetrieved' }>;

/**
 * Payments of which neither what is shown nor the log names an invoice, each once. A warning that can no longer be acted on is
 * listed nowhere, so of its payment nobody asks.
 */
async function toPlace(
  { store, streamPrefix }: ImportPagesOptions,
  items: readonly ImportItem[],
): Promise<readonly OfPayment[]> {
  const found = new Map<string, OfPayment>();
  for (const { category, id, event } of items) {
    if (event.type !== 'PaymentRetrieved' || event.data.invoice !== null || found.has(id)) continue;
    if (event.data.object === 'early_fraud_warning' && !event.data.actionable) continue;
    if (isPlaced(await readStreamFacts(store, streamName(streamPrefix, { category, id })))) continue;
    found.set(id, event);
  }
  return [...found.values()];
}

async function asked(
  { gateway }: ImportPagesOptions,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<PageAnswer> {
  const answer = await pageOf(gateway, path, query);
  if (isAhead(answer.answeredAt)) throw new AnswerAheadError();
  return answer;
}

/** The subscription of the invoice that an invoice payment shows whole. */
function subscriptionOf({ invoice }: ListedObject): readonly string[] {
  const subscription =
    idOf(field(invoice, 'parent', 'subscription_details', 'subscription')) ??
    idOf(field(invoice, 'subscription'));
  return subscription === null ? [] : [subscription];
}

/** Whether an object shows the beginning of its lines alone. */
export function hasCutLines(shown: Readonly<Record<string, unknown>>): boolean {
  return field(shown, 'lines', 'has_more') === true;
}
