import type { AccessPolicy } from '../events/catalog.events.js';
import type { InvoiceObservation, Observation } from './facts.js';
import type { Invoice } from './invoices.js';
import type { PaidBy } from './paid-line.js';
import type { Payments } from './payments.js';
import { isTakenBack, type ReturnedInvoices } from './taken-back.js';
import { bounded, DAY_SECONDS } from './time.js';

/** What grace is as long as it is for: the rules of DESIGN 8 on days of grace. */
export type GraceRule = 'grace_paid_before' | 'grace_after_trial' | 'grace_never_paid' | 'grace_unknown_past';

/**
 * The grace of a subscription that is `past_due`. `end` is Unix seconds; it begins with `first`, the first sight of the
 * present run, or with `failure`, the failed payment that led to it. `last` is the last sight of another status.
 */
export interface Grace extends GraceDays {
  readonly end: number;
  readonly first: Observation | null;
  readonly last: Observation | null;
  readonly failure: InvoiceObservation | null;
}

/** Days of grace, and the rule that gives them; with the invoice, by what it pays if it does, and the observation that it follows from. */
interface GraceDays {
  readonly days: number;
  readonly rule: GraceRule;
  readonly invoice: Invoice | null;
  readonly paid: PaidBy | null;
  readonly sight: Observation | null;
}

/**
 * The grace of a subscription that is `past_due` (DESIGN 8): from the first sight of the present run, or the failed payment
 * that led to it, for as many days as what was paid before deserves.
 */
export function graceOf(
  ordered: readonly Observation[],
  invoices: readonly Invoice[],
  returned: ReturnedInvoices,
  payments: Payments,
  policy: AccessPolicy,
): Grace {
  const before = ordered.findLastIndex((observation) => observation.data.status !== 'past_due');
  const first = ordered[before + 1] ?? ordered.at(-1) ?? null;
  const last = ordered[before] ?? null;
  const failure =
    last === null ? null : failureBetween(last.created, first?.created ?? 0, invoices, returned);
  const given = graceDays(ordered, invoices, payments, policy);
  const start = failure?.created ?? first?.created ?? 0;
  return { ...given, end: bounded(start + given.days * DAY_SECONDS), first, last, failure };
}

/** The first failed payment of an invoice not paid yet, from a second on and before another. */
function failureBetween(
  from: number,
  until: number,
  invoices: readonly Invoice[],
  returned: ReturnedInvoices,
): InvoiceObservation | null {
  let earliest: InvoiceObservation | null = null;
  for (const { data, paymentFailures } of invoices) {
    if (data.status === 'paid' && !isTakenBack(returned, { data })) continue;
    for (const failure of paymentFailures) {
      if (failure.created >= from && failure.created < (earliest?.created ?? until)) earliest = failure;
    }
  }
  return earliest;
}

function graceDays(
  ordered: readonly Observation[],
  invoices: readonly Invoice[],
  payments: Payments,
  policy: AccessPolicy,
): GraceDays {
  const paid = payments.first;
  if (paid !== null) {
    const { invoice } = paid;
    return { days: policy.pastDueGraceDays, rule: 'grace_paid_before', invoice, paid, sight: null };
  }
  const trial = ordered.find(
    ({ data }) => data.status === 'trialing' || data.previous?.status === 'trialing',
  );
  if (trial !== undefined) {
    return { days: policy.trialGraceDays, rule: 'grace_after_trial', invoice: null, paid, sight: trial };
  }
  const sight = ordered[0] ?? null;
  const invoice = invoices[0] ?? null;
  if (sight?.stripeType === 'customer.subscription.created' && invoice !== null) {
    return { days: policy.neverPaidGraceDays, rule: 'grace_never_paid', invoice, paid, sight };
  }
  return { days: policy.pastDueGraceDays, rule: 'grace_unknown_past', invoice: null, paid, sight };
}
