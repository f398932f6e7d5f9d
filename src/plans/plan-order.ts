/** What somebody holds, or asks for: a plan by its name and rank, paid so often, in units, with add-ons. */
export interface PlanChoice {
  readonly plan: string;
  readonly rank: number;
  /** How long one payment lasts. */
  readonly interval: PaidInterval;
  /** Units of the plan's item. */
  readonly quantity: number;
  /** Units by the name of the add-on; one that is not named counts as 0. */
  readonly addons: Readonly<Record<string, number>>;
}

/** An interval as Stripe's prices have it (`recurring.interval`, `interval_count`); `once`: paid once and kept for good. */
export type PaidInterval =
  | { readonly unit: 'day' | 'week' | 'month' | 'year'; readonly count: number }
  | 'once';

/** What a choice is to what is held: `more` is bought through a checkout, `less` is asked for and waits. */
export type ChoiceOrder = 'same' | 'more' | 'less';

/** Months of an interval, to compare by: weeks and days are parts of the average month. */
const MONTHS = { day: 12 / 365.25, week: (7 * 12) / 365.25, month: 1, year: 12 } as const;

/**
 * Whether a choice is more than what is held (DESIGN 10): the higher rank; of equal ranks the longer interval; then the
 * quantity; then the add-ons, of which one more unit of any is more. The first that differs decides. Another plan of equal
 * rank, all else equal, is more.
 */
export function orderOfChoice(wanted: PlanChoice, held: PlanChoice): ChoiceOrder {
  const difference =
    wanted.rank - held.rank ||
    compareNumbers(lengthOf(wanted.interval), lengthOf(held.interval)) ||
    wanted.quantity - held.quantity ||
    addonDifference(wanted.addons, held.addons);
  if (difference !== 0) return difference > 0 ? 'more' : 'less';
  return wanted.plan === held.plan ? 'same' : 'more';
}

/**
 * Whether a choice has more units, or more of any add-on, whatever else of it is less. They count as soon as Stripe shows
 * them, also while a renewal waits for its payment.
 */
export function hasMoreUnits(wanted: PlanChoice, held: PlanChoice): boolean {
  return wanted.quantity > held.quantity || addonDifference(wanted.addons, held.addons) > 0;
}

/** Length of an interval in months. */
function lengthOf(interval: PaidInterval): number {
  return interval === 'once' ? Number.POSITIVE_INFINITY : MONTHS[interval.unit] * interval.count;
}

function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** 1 where a unit of any add-on is more, -1 where some are fewer and none is more, 0 where they are the same. */
function addonDifference(wanted: PlanChoice['addons'], held: PlanChoice['addons']): number {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(held)])];
  const differences = names.map((name) => (wanted[name] ?? 0) - (held[name] ?? 0));
  if (differences.some((difference) => difference > 0)) return 1;
  return differences.some((difference) => difference < 0) ? -1 : 0;
}
