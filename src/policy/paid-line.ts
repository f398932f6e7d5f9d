import type { Observation } from './facts.js';
import type { Invoice } from './invoices.js';
import { compareText } from './order.js';
import type { TimeInterval } from './time-intervals.js';

/**
 * By what an invoice pays for a price, `null` of a line that names none: besides what it says itself by the observations that
 * were asked for. `outOfTrial` says that it was not created in a trial. Where its lines were cut, `held` says what was on the
 * subscription, and `periodFrom` shows the item whose period is paid for.
 */
export interface PaidBy {
  readonly invoice: Invoice;
  readonly price: string | null;
  readonly outOfTrial: Observation | null;
  readonly held: Observation | null;
  readonly periodFrom: Observation | null;
}

/** A line that paid for a price, of a paid invoice created at `invoiced` (Unix seconds), with the interval it paid for. */
export interface PaidLine extends TimeInterval, PaidBy {
  readonly price: string;
  readonly units: number;
  readonly invoiced: number;
}

/**
 * A paid invoice that pays for nothing, or with one of its lines does not, by what was `seen` when it was created: a trial, or,
 * where its lines were cut, nothing on the subscription with a period that it could be for.
 */
export interface PassedOver {
  readonly invoice: Invoice;
  readonly seen: Observation;
}

/** The newest line first: of the invoice created last, then whose period begins, then ends last, then of most units. */
export function compareNewest(a: PaidLine, b: PaidLine): number {
  return (
    b.invoiced - a.invoiced ||
    b.start - a.start ||
    b.end - a.end ||
    b.units - a.units ||
    compareText(a.price, b.price)
  );
}

/** Lines by what they have in common, in their order. */
export function groupedBy<T extends PaidLine>(
  lines: readonly T[],
  keyOf: (line: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const found = new Map<string, T[]>();
  for (const line of lines) {
    const key = keyOf(line);
    const known = found.get(key);
    if (known === undefined) found.set(key, [line]);
    else known.push(line);
  }
  return found;
}
