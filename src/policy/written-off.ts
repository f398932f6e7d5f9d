import type { Observation } from './facts.js';
import { askedBy, type Invoice, isCreationOrCycle } from './invoices.js';
import { newestNotAfter, type PaidLine, type Payments } from './payments.js';
import type { NamedPlan, PriceBook } from './price-book.js';

/**
 * What invoices written off asked for and nothing paid since: it is lost, but for what a paid line covers. Of the plan, and
 * of each add-on by its name, the first such invoice by id. `regained` are the lines that paid again for the plan, or an
 * add-on, that one written off had asked for.
 */
export interface Lost {
  readonly plan: WrittenOff | null;
  readonly addons: ReadonlyMap<string, WrittenOff>;
  readonly regained: readonly PaidLine[];
}

/** An invoice that was written off; `seen` is the observation that says that collection was not paused, where that is asked. */
export interface WrittenOff {
  readonly invoice: Invoice;
  readonly seen: Observation | null;
}

/**
 * What a subscription lost by invoices that were written off (DESIGN 8 "Written off"). `followed` is the plan that access
 * follows otherwise, `null` of none.
 */
export function lostBy(
  invoices: readonly Invoice[],
  ordered: readonly Observation[],
  payments: Payments,
  book: PriceBook,
  followed: NamedPlan | null,
): Lost {
  const writtenOff = invoices.flatMap((invoice) => writtenOffAs(invoice, ordered) ?? []);
  if (writtenOff.length === 0) return NOTHING_LOST;

  let planPaid: PaidLine | null = null;
  const addonPaid = new Map<string, PaidLine>();
  for (const line of payments.lines) {
    const { price, invoiced } = line;
    const plan = book.planOf(price);
    if (plan !== null && isPlanOrHigher(plan, followed) && invoiced > secondOf(planPaid)) planPaid = line;
    const addon = book.addonOf(price)?.name;
    if (addon !== undefined && invoiced > secondOf(addonPaid.get(addon) ?? null)) addonPaid.set(addon, line);
  }

  let plan: WrittenOff | null = null;
  const regained = new Set<PaidLine>();
  const addons = new Map<string, WrittenOff>();
  for (const each of writtenOff) {
    const { data } = each.invoice;
    const asked = data.lines.filter((line) => askedBy(line) > 0).flatMap(({ price }) => price ?? []);
    const asksForPlan = data.linesTruncated || asked.some((price) => book.planOf(price) !== null);
    if (asksForPlan && planPaid !== null && secondOf(planPaid) > data.created) regained.add(planPaid);
    else if (asksForPlan) plan ??= each;
    for (const price of asked) {
      const addon = book.addonOf(price)?.name;
      if (addon === undefined) continue;
      const again = addonPaid.get(addon);
      if (again !== undefined && again.invoiced > data.created) regained.add(again);
      else if (!addons.has(addon)) addons.set(addon, each);
    }
  }
  return { plan, addons, regained: [...regained] };
}

const NOTHING_LOST: Lost = { plan: null, addons: new Map(), regained: [] };

function secondOf(line: PaidLine | null): number {
  return line?.invoiced ?? Number.NEGATIVE_INFINITY;
}

/** Whether a plan is another plan itself, or of higher rank; any is higher than none. */
export function isPlanOrHigher(plan: NamedPlan, other: NamedPlan | null): boolean {
  return other === null || plan.name === other.name || plan.plan.rank > other.plan.rank;
}

/**
 * A creation or cycle invoice given up for want of payment. Stripe's reason decides; where it gives none, one that was
 * attempted while collection was not paused.
 */
function writtenOffAs(invoice: Invoice, ordered: readonly Observation[]): WrittenOff | null {
  const { status, uncollectibleReason, attemptCount } = invoice.data;
  if (status !== 'uncollectible' || !isCreationOrCycle(invoice)) return null;
  if (uncollectibleReason !== null) {
    return uncollectibleReason === 'max_payment_attempts' || uncollectibleReason === 'payment_not_received'
      ? { invoice, seen: null }
      : null;
  }
  const seen = newestNotAfter(ordered, invoice.told.created);
  return attemptCount > 0 && (seen?.data.pauseCollection ?? null) === null ? { invoice, seen } : null;
}
