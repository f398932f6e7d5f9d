import type { Observation } from './facts.js';
import { askedBy, type Invoice, isCreationOrCycle } from './invoices.js';
import { newestNotAfter, type Payments } from './payments.js';
import type { NamedPlan, PriceBook } from './price-book.js';

/** What invoices written off asked for and nothing paid since: it is lost, but for what a paid line covers. */
export interface Lost {
  readonly plan: boolean;
  /** Names of add-ons. */
  readonly addons: ReadonlySet<string>;
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
  const writtenOff = invoices.filter((invoice) => isWrittenOff(invoice, ordered));
  if (writtenOff.length === 0) return { plan: false, addons: new Set() };

  let planPaid = Number.NEGATIVE_INFINITY;
  const addonPaid = new Map<string, number>();
  for (const { price, invoiced } of payments.lines) {
    const plan = book.planOf(price);
    if (plan !== null && isPlanOrHigher(plan, followed)) planPaid = Math.max(planPaid, invoiced);
    const addon = book.addonOf(price)?.name;
    if (addon !== undefined) addonPaid.set(addon, Math.max(addonPaid.get(addon) ?? invoiced, invoiced));
  }

  let plan = false;
  const addons = new Set<string>();
  for (const { data } of writtenOff) {
    const asked = data.lines.filter((line) => askedBy(line) > 0).flatMap(({ price }) => price ?? []);
    const asksForPlan = data.linesTruncated || asked.some((price) => book.planOf(price) !== null);
    if (asksForPlan && planPaid <= data.created) plan = true;
    for (const price of asked) {
      const addon = book.addonOf(price)?.name;
      if (addon !== undefined && (addonPaid.get(addon) ?? Number.NEGATIVE_INFINITY) <= data.created) {
        addons.add(addon);
      }
    }
  }
  return { plan, addons };
}

/** Whether a plan is another plan itself, or of higher rank; any is higher than none. */
export function isPlanOrHigher(plan: NamedPlan, other: NamedPlan | null): boolean {
  return other === null || plan.name === other.name || plan.plan.rank > other.plan.rank;
}

/**
 * A creation or cycle invoice given up for want of payment. Stripe's reason decides; where it gives none, one that was
 * attempted while collection was not paused.
 */
function isWrittenOff(invoice: Invoice, ordered: readonly Observation[]): boolean {
  const { status, uncollectibleReason, attemptCount } = invoice.data;
  if (status !== 'uncollectible' || !isCreationOrCycle(invoice)) return false;
  if (uncollectibleReason !== null) {
    return uncollectibleReason === 'max_payment_attempts' || uncollectibleReason === 'payment_not_received';
  }
  const seen = newestNotAfter(ordered, invoice.toldAt);
  return attemptCount > 0 && (seen?.data.pauseCollection ?? null) === null;
}
