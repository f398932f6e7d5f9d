import type { Price } from '../types.js';

export interface Period {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
}

type Recurring = NonNullable<Price['recurring']>;

const DAY = 86_400;

/** The end of the period that begins at `start`: the first second after it that lies whole intervals from the anchor (Stripe: "Billing cycle"). */
export function endOfPeriod(recurring: Recurring, anchor: number, start: number): number {
  const count = recurring.interval_count;
  if (recurring.interval === 'day' || recurring.interval === 'week') {
    const length = count * (recurring.interval === 'day' ? DAY : 7 * DAY);
    return anchor + (Math.floor((start - anchor) / length) + 1) * length;
  }
  const months = count * (recurring.interval === 'year' ? 12 : 1);
  let intervals = Math.floor(monthsBetween(anchor, start) / months) - 1;
  for (;;) {
    const end = addMonths(anchor, intervals * months);
    if (end > start) return end;
    intervals += 1;
  }
}

function monthsBetween(one: number, other: number): number {
  const [a, b] = [new Date(one * 1_000), new Date(other * 1_000)];
  return (b.getUTCFullYear() - a.getUTCFullYear()) * 12 + b.getUTCMonth() - a.getUTCMonth();
}

/** The same day and second so many months on; the month's last day where it is too short. */
export function addMonths(second: number, months: number): number {
  const from = new Date(second * 1_000);
  const first = new Date(from);
  first.setUTCDate(1);
  first.setUTCMonth(first.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(from.getUTCDate(), lastDay));
  return Math.floor(first.getTime() / 1_000);
}
