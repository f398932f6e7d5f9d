import type { Observation } from './facts.js';
import { unitsOf, wholeOnes } from './held-items.js';
import { askedBy, type Invoice, isCreationOrCycle } from './invoices.js';
import { type Creation, creationOf, paymentBy } from './line-payment.js';
import { newestNotAfter } from './order.js';
import { groupedBy, type PaidBy, type PaidLine, type PassedOver } from './paid-line.js';
import { itemsByPrice, unitsByPrice } from './plan-item.js';
import type { PriceBook } from './price-book.js';
import { isTakenBack, type ReturnedInvoices } from './taken-back.js';
import { countUpTo, greatestUpTo, type TimeInterval } from './time-intervals.js';

/** What was paid for, price by price (DESIGN 8 "Payment before access"). Times are Unix seconds. */
export interface Payments {
  /** Of the first by id of the invoices with a line that pays that were ever paid, taken back or not, the first such line; `null` of none. */
  readonly first: PaidBy | null;
  /** Lines that paid, of those that name their price. */
  readonly lines: readonly PaidLine[];
  /** What would pay if something else had been observed when it was created. */
  readonly passedOver: readonly PassedOver[];
  /** Of the lines that paid for a price, of invoices created at `invoiced` or later, the one whose period ends last. */
  lineThatLasts(price: string, invoiced: number): PaidLine | null;
  /** The line that paid and covers `instant`, where no invoice paid later credits the price or was cut. */
  lineThatCovers(price: string, instant: number): PaidLine | null;
  /** The invoice paid last that has a negative line of a price: lines of earlier ones cover nothing. */
  creditOf(price: string): Invoice | null;
  /** The invoice paid last that credits a price or was cut: lines of earlier ones do not cover what begins anew. */
  takenBackBy(price: string): Invoice | null;
  /** Whether a paid invoice created after the line's own has a negative line of its price: then it covers nothing. */
  isCredited(line: PaidLine): boolean;
  readonly restOn: RestOn;
}

/** What beside the invoices payments were gathered by: which prices were said to be tiered or not; what was observed. */
export interface RestOn {
  readonly tiered: ReadonlyMap<string, boolean>;
  readonly observations: boolean;
}

/**
 * Gathers what paid invoices paid for that were not taken back. `ordered` are the observations of the subscription, oldest
 * first.
 */
export function gatherPayments(
  invoices: readonly Invoice[],
  returned: ReturnedInvoices,
  ordered: readonly Observation[],
  book: PriceBook,
): Payments {
  const paid = invoices.filter(({ data }) => data.status === 'paid');
  const whole = wholeOnes(ordered);
  const tiered = new Map<string, boolean>();
  const isTiered = (price: string): boolean => {
    const answer = book.isTiered(price);
    tiered.set(price, answer);
    return answer;
  };
  let observations = false;
  // An invoice may be a second older than the first sight of its subscription.
  const birth = whole[0]?.stripeType === 'customer.subscription.created' ? whole[0] : undefined;
  const periods = itemPeriods(paid.some(isCutPayment) ? whole : []);
  let first: PaidBy | null = null;
  const lines: PaidLine[] = [];
  const passedOver: PassedOver[] = [];
  const credited = new Map<string, Invoice>();
  let cut: Invoice | null = null;
  for (const invoice of paid) {
    const { data } = invoice;
    const isBack = isTakenBack(returned, invoice);
    const creation = (): Creation => {
      observations = true;
      return creationOf(data.created, ordered);
    };
    if (data.linesTruncated && !isBack) cut = laterOf(cut, invoice);
    for (const line of data.lines) {
      if (line.price !== null && askedBy(line) < 0 && !isBack) {
        credited.set(line.price, laterOf(credited.get(line.price) ?? null, invoice));
      }
      const { pays, trial, outOfTrial } = paymentBy(line, creation, isTiered);
      if (trial !== null) passedOver.push({ invoice, seen: trial });
      if (!pays) continue;
      const { price, periodStart: start, periodEnd: end } = line;
      first ??= { invoice, price, outOfTrial, held: null, periodFrom: null };
      if (price === null || isBack) continue;
      // A line without a period covers nothing and ends before everything.
      lines.push({
        price,
        units: unitsOf(line),
        invoiced: data.created,
        invoice,
        outOfTrial,
        held: null,
        periodFrom: null,
        start: start ?? Number.POSITIVE_INFINITY,
        end: end ?? Number.NEGATIVE_INFINITY,
      });
    }
    if (!isCutPayment(invoice)) continue;
    const { trial, outOfTrial } = creation();
    const held = newestNotAfter(whole, data.created) ?? birth ?? null;
    const found = trial === null ? linesOfCutInvoice({ invoice, outOfTrial, held }, periods) : [];
    const passing = trial ?? (found.length === 0 ? held : null);
    if (passing !== null) passedOver.push({ invoice, seen: passing });
    first ??= found[0] ?? null;
    if (!isBack) lines.push(...found);
  }
  const index = indexOf(lines, credited, cut);
  return { first, lines, passedOver, ...index, restOn: { tiered, observations } };
}

/** A creation or cycle invoice whose lines were cut: what it does not show is taken from the subscription. */
function isCutPayment(invoice: Invoice): boolean {
  return invoice.data.linesTruncated && isCreationOrCycle(invoice);
}

/** It pays for the prices held when it was created (at the birth of the subscription, where that was later), each for its first period that ends after that. */
function linesOfCutInvoice(
  by: Pick<PaidBy, 'invoice' | 'outOfTrial' | 'held'>,
  periods: ItemPeriods,
): readonly PaidLine[] {
  const { created } = by.invoice.data;
  return [...unitsByPrice(by.held?.data.items ?? [])].flatMap(([price, units]) => {
    const period = periods(price, created);
    return period === null ? [] : [{ price, units, invoiced: created, ...by, ...period }];
  });
}

/** A period of an item, and the observation that shows it. */
interface ItemPeriod extends TimeInterval {
  readonly periodFrom: Observation;
}

/** The first period of a price, in the order of observations, that ends after an instant. */
type ItemPeriods = (price: string, instant: number) => ItemPeriod | null;

function itemPeriods(whole: readonly Observation[]): ItemPeriods {
  // Of each price only periods that end later than all before them: any other is never the first to end after an instant.
  const rising = new Map<string, ItemPeriod[]>();
  for (const periodFrom of whole) {
    for (const items of [periodFrom.data.previous?.items ?? [], periodFrom.data.items]) {
      for (const [price, item] of itemsByPrice(items)) {
        if (item.currentPeriodStart === null || item.currentPeriodEnd === null) continue;
        const known = rising.get(price);
        const period = { start: item.currentPeriodStart, end: item.currentPeriodEnd, periodFrom };
        if (known === undefined) rising.set(price, [period]);
        else if (period.end > (known.at(-1)?.end ?? Number.NEGATIVE_INFINITY)) known.push(period);
      }
    }
  }
  return (price, instant) => {
    const list = rising.get(price) ?? [];
    return list[countUpTo(list, instant, ({ end }) => end)] ?? null;
  };
}

function indexOf(
  lines: readonly PaidLine[],
  credited: ReadonlyMap<string, Invoice>,
  cut: Invoice | null,
): Pick<Payments, 'lineThatLasts' | 'lineThatCovers' | 'creditOf' | 'takenBackBy' | 'isCredited'> {
  const takenBackBy = (price: string): Invoice | null => {
    const credit = credited.get(price);
    return credit === undefined ? cut : laterOf(cut, credit);
  };
  // Most prices are never asked about: what answers is made with the first question.
  let grouped: ReadonlyMap<string, readonly PaidLine[]> | null = null;
  const ofPrice = (price: string): readonly PaidLine[] => {
    grouped ??= groupedBy(lines, ({ price: key }) => key);
    return grouped.get(price) ?? [];
  };
  const byCreation = oncePerPrice((price) =>
    greatestUpTo(ofPrice(price).map((line) => ({ key: -line.invoiced, value: line.end, line }))),
  );
  const byStart = oncePerPrice((price) => {
    const since = takenBackBy(price)?.data.created ?? Number.NEGATIVE_INFINITY;
    return greatestUpTo(
      ofPrice(price)
        .filter(({ invoiced }) => invoiced >= since)
        .map((line) => ({ key: line.start, value: line.end, line })),
    );
  });
  return {
    lineThatLasts: (price, invoiced) => byCreation(price)(-invoiced)?.line ?? null,
    lineThatCovers: (price, instant) => {
      const line = byStart(price)(instant)?.line ?? null;
      return line !== null && line.end > instant ? line : null;
    },
    creditOf: (price) => credited.get(price) ?? null,
    takenBackBy,
    isCredited: ({ price, invoiced }) => (credited.get(price)?.data.created ?? invoiced) > invoiced,
  };
}

function oncePerPrice<V>(make: (price: string) => V): (price: string) => V {
  const made = new Map<string, V>();
  return (price) => {
    const known = made.get(price);
    if (known !== undefined) return known;
    const value = make(price);
    made.set(price, value);
    return value;
  };
}

/** Newest of two invoices: the one created later; of one second the first told. */
function laterOf(known: Invoice | null, next: Invoice): Invoice {
  return known !== null && known.data.created >= next.data.created ? known : next;
}
