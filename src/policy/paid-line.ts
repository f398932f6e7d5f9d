import type { Observation } from './facts.js';
import type { Invoice } from './invoices.js';
import { compareText } from './order.js';
import type { TimeInterval } from './time-intervals.js';

/**
 * A line that paid for a price, of a paid `invoice` created at `invoiced` (Unix seconds), with the interval it paid for. Of an
 * invoice whose lines were cut `held` is the observation that says what was on the subscription; else `null`.
 */
export interface PaidLine extends TimeInterval {
  readonly price: string;
  readonly units: number;
  readonly invoiced: number;
  readonly invoice: Invoice;
  readonly held: Observation | null;
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
