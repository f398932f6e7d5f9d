import type { Observation } from './facts.js';
import { askedBy, type Invoice, isCreationOrCycle } from './invoices.js';
import { newestNotAfter } from './order.js';
import type { PaidLine } from './paid-line.js';
import type { Payments } from './payments.js';
import type { NamedPlan, PriceBook } from './price-book.js';
import type { Returned, ReturnedInvoices, TakenBackRule } from './taken-back.js';

/**
 * What invoices written off, or taken back, asked for and nothing paid since: it is lost, but for what a paid line covers. Of
 * the plan, and of each add-on by its name, the first such invoice by id. `regained` are the lines that paid again for the
 * plan, or an add-on, that such an invoice had asked for; by `spared` nothing is lost, as collection was paused then.
 */
export interface Lost {
  readonly plan: LostInvoice | null;
  readonly addons: ReadonlyMap<string, LostInvoice>;
  readonly regained: readonly PaidLine[];
  readonly spared: readonly SparedInvoice[];
}

/** An invoice that was given up while collection was paused, as `seen` says. */
export interface SparedInvoice {
  readonly invoice: Invoice;
  readonly seen: Observation;
}

/**
 * An invoice that was written off or taken back; `seen` is the observation that says that collection was not paused, where
 * that is asked; `returned` is what went back, `null` where it was written off.
 */
export interface LostInvoice {
  readonly invoice: Invoice;
  readonly seen: Observation | null;
  readonly returned: Returned | null;
}

/** Why something was lost: the rule that took the invoice back, or that it was written off. */
export type LossRule = 'written_off' | TakenBackRule;

export function lossRuleOf({ returned }: LostInvoice): LossRule {
  return returned?.rule ?? 'written_off';
}

/**
 * What a subscription lost by invoices that were written off or taken back (DESIGN 8). `followed` is the plan that access
 * follows otherwise, `null` of none.
 */
export function lostBy(
  invoices: readonly Invoice[],
  returned: ReturnedInvoices,
  ordered: readonly Observation[],
  payments: Payments,
  book: PriceBook,
  followed: NamedPlan | null,
): Lost {
  const lost: LostInvoice[] = [];
  const spared: SparedInvoice[] = [];
  for (const invoice of invoices) {
    const given = takenBackAs(invoice, returned) ?? givenUpAs(invoice, ordered);
    if (given === null) continue;
    if ('returned' in given) lost.push(given);
    else spared.push(given);
  }
  if (lost.length === 0) return spared.length === 0 ? NOTHING_LOST : { ...NOTHING_LOST, spared };

  let planPaid: PaidLine | null = null;
  const addonPaid = new Map<string, PaidLine>();
  for (const line of payments.lines) {
    const { price, invoiced } = line;
    const plan = book.planOf(price);
    if (plan !== null && isPlanOrHigher(plan, followed) && invoiced > secondOf(planPaid)) planPaid = line;
    const addon = book.addonOf(price)?.name;
    if (addon !== undefined && invoiced > secondOf(addonPaid.get(addon) ?? null)) addonPaid.set(addon, line);
  }

  let plan: LostInvoice | null = null;
  const regained = new Set<PaidLine>();
  const addons = new Map<string, LostInvoice>();
  for (const each of lost) {
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
  return { plan, addons, regained: [...regained], spared };
}

const NOTHING_LOST: Lost = { plan: null, addons: new Map(), regained: [], spared: [] };

function secondOf(line: PaidLine | null): number {
  return line?.invoiced ?? Number.NEGATIVE_INFINITY;
}

/** Whether a plan is another plan itself, or of higher rank; any is higher than none. */
export function isPlanOrHigher(plan: NamedPlan, other: NamedPlan | null): boolean {
  return other === null || plan.name === other.name || plan.plan.rank > other.plan.rank;
}

function takenBackAs(invoice: Invoice, all: ReturnedInvoices): LostInvoice | null {
  const returned = all.get(invoice.data.invoice) ?? null;
  return returned === null || returned.rule === null ? null : { invoice, seen: null, returned };
}

/**
 * A creation or cycle invoice given up for want of payment. Stripe's reason decides; where it gives none, one that was
 * attempted while collection was not paused.
 */
function givenUpAs(invoice: Invoice, ordered: readonly Observation[]): LostInvoice | SparedInvoice | null {
  const { status, uncollectibleReason, attemptCount } = invoice.data;
  if (status !== 'uncollectible' || !isCreationOrCycle(invoice)) return null;
  if (uncollectibleReason !== null) {
    return uncollectibleReason === 'max_payment_attempts' || uncollectibleReason === 'payment_not_received'
      ? { invoice, seen: null, returned: null }
      : null;
  }
  if (attemptCount === 0) return null;
  const seen = newestNotAfter(ordered, invoice.told.created);
  return seen === null || seen.data.pauseCollection === null
    ? { invoice, seen, returned: null }
    : { invoice, seen };
}
