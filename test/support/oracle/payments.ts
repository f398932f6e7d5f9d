import type { InvoiceLine } from '../../../src/events/invoice.events.js';
import type { InvoiceObservation, Observation } from '../../../src/policy/facts.js';
import type { PriceBook } from './prices.js';

/** A line of a paid invoice that pays for its price. Seconds are Unix seconds; `created` is the invoice's own. */
export interface PaidLine {
  readonly invoice: string;
  readonly created: number;
  readonly price: string;
  readonly quantity: number;
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
}

/** What an invoice asks for with a line: `subtotal`, else `amount`. */
export function askedBy(line: InvoiceLine): number {
  return line.subtotal ?? line.amount;
}

const CREATION_OR_CYCLE: readonly (string | null)[] = ['subscription_create', 'subscription_cycle'];

export function isCreationOrCycle(invoice: InvoiceObservation): boolean {
  return CREATION_OR_CYCLE.includes(invoice.data.billingReason);
}

/** Every line that pays ("Paid for", DESIGN 8), those that a cut invoice pays without showing them included. */
export function paidLines(
  ordered: readonly Observation[],
  invoices: readonly InvoiceObservation[],
  prices: PriceBook,
): PaidLine[] {
  return invoices
    .filter((invoice) => invoice.data.status === 'paid')
    .flatMap((invoice) => [
      ...shownLines(ordered, invoice, prices),
      ...(invoice.data.linesTruncated ? unseenLines(ordered, invoice) : []),
    ]);
}

function shownLines(
  ordered: readonly Observation[],
  { data }: InvoiceObservation,
  prices: PriceBook,
): PaidLine[] {
  const inTrial = createdInTrial(ordered, data.created);
  return data.lines.flatMap((line) => {
    const { price, periodStart, periodEnd } = line;
    if (price === null) return [];
    const tiered = line.billingScheme === 'tiered' || prices.isTiered(price);
    const pays = askedBy(line) > 0 || (askedBy(line) === 0 && (line.reduced || tiered) && !inTrial);
    const { invoice, created } = data;
    return pays ? [{ invoice, created, price, quantity: line.quantity ?? 1, periodStart, periodEnd }] : [];
  });
}

/**
 * What a cut creation or cycle invoice pays for: the prices on the subscription when it was created, each for its first
 * item period that ends after that. What its `created` shows, where that is seen first, was on a subscription from the beginning.
 */
function unseenLines(ordered: readonly Observation[], invoice: InvoiceObservation): PaidLine[] {
  const { created } = invoice.data;
  if (!isCreationOrCycle(invoice) || createdInTrial(ordered, created)) return [];
  const whole = ordered.filter((o) => !o.data.itemsTruncated);
  const [firstSeen] = whole;
  const birth = firstSeen !== undefined && isBirth(firstSeen) ? firstSeen : undefined;
  const then = whole.filter((o) => o.created <= created).at(-1) ?? birth;
  return (then?.data.items ?? []).flatMap((item) => {
    const [first] = whole
      .flatMap((o) => [...(o.data.previous?.items ?? []), ...o.data.items])
      .filter((other) => other.price === item.price)
      .flatMap(({ currentPeriodStart, currentPeriodEnd }) =>
        currentPeriodEnd === null ? [] : [{ periodStart: currentPeriodStart, periodEnd: currentPeriodEnd }],
      )
      .filter(({ periodEnd }) => periodEnd > created);
    if (first === undefined) return [];
    return [
      { invoice: invoice.data.invoice, created, price: item.price, quantity: item.quantity ?? 1, ...first },
    ];
  });
}

/** Whether an observation is the `created` of its subscription. */
export function isBirth(o: Observation): boolean {
  return o.stripeType === 'customer.subscription.created' && o.type !== 'SubscriptionRetrieved';
}

/** Created in a trial: the newest observation not after it is trialing and ends its trial later. */
function createdInTrial(ordered: readonly Observation[], created: number): boolean {
  const then = ordered.filter((o) => o.created <= created).at(-1);
  return then?.data.status === 'trialing' && then.data.trialEnd !== null && then.data.trialEnd > created;
}

/** Whether a paid invoice created later took back what a line asked for: it has a negative line of that price. */
export function isCredited(line: PaidLine, invoices: readonly InvoiceObservation[]): boolean {
  return paidLater(line, invoices).some((later) =>
    later.data.lines.some((other) => other.price === line.price && askedBy(other) < 0),
  );
}

/** Paid invoices created later than that of a line. */
export function paidLater(line: PaidLine, invoices: readonly InvoiceObservation[]): InvoiceObservation[] {
  return invoices.filter((other) => other.data.status === 'paid' && other.data.created > line.created);
}

/** The newest line: of the invoice created last, then the one whose period begins, then ends last; then of most units, of the smallest price id. */
export function newestLine(lines: readonly PaidLine[]): PaidLine | undefined {
  return [...lines]
    .sort(
      (a, b) =>
        a.created - b.created ||
        (a.periodStart ?? 0) - (b.periodStart ?? 0) ||
        (a.periodEnd ?? 0) - (b.periodEnd ?? 0) ||
        a.quantity - b.quantity ||
        Number(a.price < b.price) - Number(a.price > b.price),
    )
    .at(-1);
}
