import type { PendingPayment } from '../../../src/policy/entitlement.js';
import { TERMINAL } from './order.js';
import type { PlanItem } from './prices.js';
import type { Understood } from './subscription.js';
import type { SubscriptionAccess } from './subscription-access.js';

interface Candidate {
  readonly planItem: PlanItem;
  /** Unix seconds. */
  readonly since: number;
}

/** What is asked for and not paid yet, over all subscriptions: the highest plan; of equal ranks the smallest id. */
export function pendingOf(
  placed: readonly { readonly sub: Understood; readonly at: SubscriptionAccess }[],
): PendingPayment | null {
  const found = placed
    .flatMap(({ sub, at }) => {
      const candidate = candidateOf(sub, at);
      return candidate === null ? [] : [{ sub, candidate }];
    })
    .sort(
      (a, b) =>
        b.candidate.planItem.meaning.plan.rank - a.candidate.planItem.meaning.plan.rank ||
        (a.sub.id < b.sub.id ? -1 : 1),
    );
  const [best] = found;
  if (best === undefined) return null;
  const { meaning, item } = best.candidate.planItem;
  const invoice = openInvoice(best.sub, item.price);
  return {
    plan: meaning.name,
    price: item.price,
    since: new Date(best.candidate.since * 1000).toISOString(),
    invoice,
    reason: reasonOf(best.sub, item.price, invoice),
  };
}

function candidateOf(sub: Understood, at: SubscriptionAccess): Candidate | null {
  const firstWaits = sub.planPeriods.firstWaits && !TERMINAL.includes(sub.status);
  if (!at.access && !firstWaits) return null;
  const waiting = waitingPlanPeriod(sub);
  const update = pendingUpdate(sub);
  if (waiting === null || update === null) return waiting ?? update;
  return update.planItem.meaning.plan.rank > waiting.planItem.meaning.plan.rank ? update : waiting;
}

/** The newest plan period while it waits: also a first one that only counts meanwhile, during a trial. */
function waitingPlanPeriod(sub: Understood): Candidate | null {
  const newest = sub.planPeriods.all.at(-1);
  if (newest?.planItem === undefined || newest.firstSeen === null) return null;
  if (newest.settledBy !== null && !newest.meanwhile) return null;
  return { planItem: newest.planItem, since: newest.firstSeen };
}

/** A `pending_update` of the newest observation that names a higher plan than that of the newest settled plan period. */
function pendingUpdate(sub: Understood): Candidate | null {
  const itemsOf = (index: number) => sub.ordered.at(index)?.data.pendingUpdate?.items ?? [];
  const planItem = sub.prices.planItem(itemsOf(-1));
  const settled = sub.planPeriods.all.findLast(
    (planPeriod) => planPeriod.settledBy !== null && !planPeriod.meanwhile,
  );
  if (planItem === undefined) return null;
  if (planItem.meaning.plan.rank <= (settled?.rank ?? Number.NEGATIVE_INFINITY)) return null;
  let since = sub.newest.created;
  const names = (index: number) => itemsOf(index).some((item) => item.price === planItem.item.price);
  for (let i = sub.ordered.length - 1; i >= 0 && names(i); i -= 1) {
    since = sub.ordered[i]?.created ?? since;
  }
  return { planItem, since };
}

function reasonOf(sub: Understood, price: string, invoice: string | null): PendingPayment['reason'] {
  const isOfPrice = (one: (typeof sub.invoices)[number]) =>
    one.data.lines.some((line) => line.price === price);
  if (sub.invoices.some((one) => sub.takenBack.includes(one.data.invoice) && isOfPrice(one)))
    return 'taken_back';
  if (sub.planPeriods.firstWaits && sub.checkoutUnpaid) return 'bank_debit';
  if (sub.newest.data.collectionMethod === 'send_invoice') return 'sent_invoice';
  if (invoice === null) return 'no_invoice';
  return sub.failed.includes(invoice) ? 'invoice_failed' : 'invoice_open';
}

/** An open invoice with a line of the price: the one created last, of equals the greatest id. */
function openInvoice(sub: Understood, price: string): string | null {
  const open = sub.invoices
    .filter((i) => i.data.status === 'open' && i.data.lines.some((line) => line.price === price))
    .sort((a, b) => a.data.created - b.data.created || (a.data.invoice < b.data.invoice ? -1 : 1));
  return open.at(-1)?.data.invoice ?? null;
}
