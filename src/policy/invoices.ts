import type { InvoiceLine, InvoiceObservationData } from '../events/invoice.events.js';
import type { InvoiceObservation } from './facts.js';
import { keptWith } from './growing-list.js';
import { compareFactOrigins, compareText } from './order.js';

/** One invoice as all that was told of it makes it. `told` is the observation that decided its status. */
export interface Invoice {
  readonly data: InvoiceObservationData;
  readonly told: InvoiceObservation;
  /** Its `invoice.payment_failed` events, the earliest first. */
  readonly paymentFailures: readonly InvoiceObservation[];
}

const WITHIN_A_SECOND: ReadonlyMap<string, number> = new Map([
  ['draft', 0],
  ['open', 1],
  ['uncollectible', 2],
  ['void', 3],
]);

/** Folds invoices into a map by id (DESIGN 5.3): `paid` outranks all, else the latest event decides; what was retrieved comes before what was delivered in its second. Ascending by id. */
export function foldInvoices(observations: readonly InvoiceObservation[]): readonly Invoice[] {
  return folded(observations).invoices;
}

interface FoldedInvoices {
  readonly told: Map<string, InvoiceObservation[]>;
  readonly invoices: Invoice[];
}

const folded = keptWith<InvoiceObservation, FoldedInvoices>((observations) => {
  const told = new Map<string, InvoiceObservation[]>();
  for (const observation of observations) tell(told, observation);
  const invoices = [...told.values()]
    .map(foldInvoice)
    .sort((a, b) => compareText(a.data.invoice, b.data.invoice));
  return { told, invoices };
}, extendInvoices);

function extendInvoices(fold: FoldedInvoices, added: readonly InvoiceObservation[]): FoldedInvoices {
  for (const observation of added) {
    const { invoice } = observation.data;
    const isNew = !fold.told.has(invoice);
    const now = foldInvoice(tell(fold.told, observation));
    fold.invoices.splice(placeOf(fold.invoices, invoice), isNew ? 0 : 1, now);
  }
  return fold;
}

function tell(
  told: Map<string, InvoiceObservation[]>,
  observation: InvoiceObservation,
): readonly InvoiceObservation[] {
  const known = told.get(observation.data.invoice);
  if (known === undefined) {
    const first = [observation];
    told.set(observation.data.invoice, first);
    return first;
  }
  known.push(observation);
  return known;
}

function foldInvoice(told: readonly InvoiceObservation[]): Invoice {
  const decisive = told.reduce((winner, next) => (outranks(next, winner) ? next : winner));
  const paymentFailures = told
    .filter((observation) => observation.stripeType === 'invoice.payment_failed')
    .sort(compareFactOrigins);
  return { data: decisive.data, told: decisive, paymentFailures };
}

/** Index of the first invoice whose id is not below `id`. */
function placeOf(invoices: readonly Invoice[], id: string): number {
  let [low, high] = [0, invoices.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareText(invoices[middle]?.data.invoice ?? '', id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a line asks for in minor units, before discounts where the API version says so. Negative is a credit. */
export function askedBy(line: InvoiceLine): number {
  return line.subtotal ?? line.amount;
}

/** Whether an invoice is the first of a subscription or that of a period. */
export function isCreationOrCycle({ data: { billingReason } }: Invoice): boolean {
  return billingReason === 'subscription_create' || billingReason === 'subscription_cycle';
}

function outranks(a: InvoiceObservation, b: InvoiceObservation): boolean {
  const order =
    Number(a.data.status === 'paid') - Number(b.data.status === 'paid') ||
    a.created - b.created ||
    Number(isRetrieved(b)) - Number(isRetrieved(a)) ||
    (WITHIN_A_SECOND.get(a.data.status) ?? -1) - (WITHIN_A_SECOND.get(b.data.status) ?? -1) ||
    compareText(a.eventId, b.eventId);
  return order > 0;
}

function isRetrieved({ type }: InvoiceObservation): boolean {
  return type === 'SubscriptionInvoiceRetrieved' || type === 'CustomerInvoiceRetrieved';
}
