import type { AccessPolicy } from '../../../src/events/catalog.events.js';
import type { InvoiceObservation, PaymentObservation } from '../../../src/policy/facts.js';

/**
 * Ids of the invoices that were taken back ("Taken back", DESIGN 8). `invoices` are each as last known, `told` all that was told
 * of them. Facts come each once, here and below: amounts are summed.
 */
export function takenBack(
  payments: readonly PaymentObservation[],
  invoices: readonly InvoiceObservation[],
  told: readonly InvoiceObservation[],
  policy: AccessPolicy,
): readonly string[] {
  return invoices
    .filter((invoice) => {
      const groups = paymentsOf(invoice, payments, told);
      if (policy.dispute === 'suspend' && groups.some((group) => isDisputed(group, payments))) return true;
      return policy.fullRefund === 'suspend' && isRefunded(invoice, groups, payments);
    })
    .map(({ data }) => data.invoice);
}

/** Whether a purchase was: by a dispute under that setting, by a full refund under any; `asked` is what its session asked for. */
export function wasTakenBack(
  intents: readonly string[],
  payments: readonly PaymentObservation[],
  policy: AccessPolicy,
  asked: Sum,
): boolean {
  const groups = groupsOf(intents, payments.map(idsNamed));
  if (policy.dispute === 'suspend' && groups.some((group) => isDisputed(group, payments, asked))) return true;
  return groups.length > 0 && groups.every((group) => isGroupRefunded(group, payments));
}

interface Sum {
  readonly amount: number | null;
  readonly currency: string | null;
}

/** A payment: every id it has. */
type Ids = readonly string[];

/** The payments of an invoice, each with all ids that are named together with one of its own, in however many steps. */
function paymentsOf(
  { data }: InvoiceObservation,
  payments: readonly PaymentObservation[],
  told: readonly InvoiceObservation[],
): readonly Ids[] {
  const together = [
    ...payments.map(idsNamed),
    ...told.map((one) => [one.data.paymentIntent, one.data.charge].filter((id) => id !== null)),
  ];
  const starts = [
    ...payments.filter((one) => one.data.invoice === data.invoice).map((one) => one.data.payment),
    ...[data.paymentIntent, data.charge].filter((id) => id !== null),
  ];
  return groupsOf(starts, together);
}

function groupsOf(starts: readonly string[], together: readonly Ids[]): readonly Ids[] {
  const groups: Ids[] = [];
  for (const start of starts) {
    if (groups.some((group) => group.includes(start))) continue;
    let group: Ids = [start];
    for (;;) {
      const wider = [
        ...new Set([...group, ...together.filter((ids) => ids.some((id) => group.includes(id))).flat()]),
      ];
      if (wider.length === group.length) break;
      group = wider;
    }
    groups.push(group);
  }
  return groups;
}

function idsNamed({ data }: PaymentObservation): string[] {
  const record = 'paymentRecord' in data ? data.paymentRecord : null;
  return [data.payment, data.paymentIntent, data.charge, record].filter((id) => id !== null);
}

function of(group: Ids, payments: readonly PaymentObservation[]): PaymentObservation[] {
  return payments.filter((one) => group.includes(one.data.payment));
}

const KNOWN = ['needs_response', 'under_review', 'lost', 'won', 'prevented'];
const isKnown = (status: string): boolean =>
  KNOWN.includes(status) ||
  /^(appeal|warning)_(needs_response|under_review)$/.test(status) ||
  status === 'warning_closed';

type Dispute = Extract<PaymentObservation, { type: 'PaymentDisputed' | 'DisputeClosed' }>;

/** The disputes of a payment that take money, as last seen: states that nobody knows are not seen at all. */
function disputesThatTake(group: Ids, payments: readonly PaymentObservation[]): Dispute[] {
  const all = of(group, payments)
    .filter((one): one is Dispute => one.type === 'PaymentDisputed' || one.type === 'DisputeClosed')
    .filter((one) => isKnown(one.data.status));
  // Asked of Stripe's API ('') comes before all that it delivered.
  const steps = ['', 'charge.dispute.created', 'any other', 'charge.dispute.closed'];
  const place = ({ stripeType }: Dispute) =>
    steps.includes(stripeType) ? steps.indexOf(stripeType) : steps.indexOf('any other');
  const inOrder = all.sort(
    (a, b) => a.created - b.created || place(a) - place(b) || (a.eventId < b.eventId ? -1 : 1),
  );
  const ids = [...new Set(inOrder.map((one) => one.data.dispute))];
  return ids
    .flatMap((id) => inOrder.filter((one) => one.data.dispute === id).slice(-1))
    .filter(({ data }) => {
      if (data.status === 'prevented') return data.caseType === 'resolution';
      return (
        ['needs_response', 'under_review', 'lost'].includes(data.status) || data.status.startsWith('appeal_')
      );
    });
}

function isDisputed(group: Ids, payments: readonly PaymentObservation[], asked?: Sum): boolean {
  const disputes = disputesThatTake(group, payments);
  if (disputes.length === 0) return false;
  const charge = newestCharge(group, payments);
  const failed = failedRefunds(group, payments, charge);
  const known = whatWasPaid(group, payments, charge);
  const paid = known.length === 0 && asked !== undefined ? [asked] : known;
  const amounts = [
    ...disputes.map(({ data }) => ({ amount: data.amount, currency: data.currency })),
    ...(charge === undefined ? [] : [{ amount: charge.data.amountRefunded, currency: charge.data.currency }]),
    ...failed.map(({ data }) => ({ amount: data.amount, currency: data.currency })),
    ...paid,
  ];
  const currencies = new Set(amounts.map(({ currency }) => currency));
  const isAllKnown =
    paid.length > 0 && amounts.every(({ amount, currency }) => amount !== null && currency !== null);
  if (!isAllKnown || currencies.size !== 1) return true;
  const sum = (list: readonly { readonly amount: number | null }[]) =>
    list.reduce((total, { amount }) => total + (amount ?? 0), 0);
  const refunds = Math.max(0, (charge?.data.amountRefunded ?? 0) - sum(failed.map(({ data }) => data)));
  return sum(disputes.map(({ data }) => data)) + refunds >= 0.9 * sum(paid);
}

/** Its charge, else what was attached. */
function whatWasPaid(
  group: Ids,
  payments: readonly PaymentObservation[],
  charge: Charge | undefined,
): { readonly amount: number | null; readonly currency: string | null }[] {
  if (charge !== undefined && charge.data.amount !== null && charge.data.currency !== null) {
    return [{ amount: charge.data.amount, currency: charge.data.currency }];
  }
  const attached = of(group, payments)
    .flatMap((one) => (one.type === 'PaymentAttachedToInvoice' ? [one] : []))
    .sort((a, b) => a.created - b.created || (a.eventId < b.eventId ? -1 : 1));
  const last = new Map(attached.map((one) => [one.data.invoicePayment, one.data]));
  return [...last.values()].map(({ amountPaid, currency }) => ({ amount: amountPaid, currency }));
}

type Charge = Extract<PaymentObservation, { type: 'PaymentRefunded' }>;
type Failed = Extract<PaymentObservation, { type: 'PaymentRefundFailed' }>;

function newestCharge(group: Ids, payments: readonly PaymentObservation[]): Charge | undefined {
  return of(group, payments)
    .filter((one) => one.type === 'PaymentRefunded')
    .sort(
      (a, b) =>
        a.created - b.created ||
        (a.data.amountRefunded ?? -1) - (b.data.amountRefunded ?? -1) ||
        (a.eventId < b.eventId ? -1 : 1),
    )
    .at(-1);
}

/** Refunds that were first seen failed in the second of that sight of the charge, or later. */
function failedRefunds(
  group: Ids,
  payments: readonly PaymentObservation[],
  charge: Charge | undefined,
): Failed[] {
  if (charge === undefined) return [];
  const all = of(group, payments)
    .filter((one) => one.type === 'PaymentRefundFailed')
    .sort((a, b) => a.created - b.created || (a.eventId < b.eventId ? -1 : 1));
  return all.filter(
    (one) =>
      all.find((other) => other.data.refund === one.data.refund) === one && one.created >= charge.created,
  );
}

function isRefunded(
  { data }: InvoiceObservation,
  groups: readonly Ids[],
  payments: readonly PaymentObservation[],
): boolean {
  if (groups.length === 0) return false;
  if (data.amountDue !== null && data.total !== null && data.amountDue < data.total) return false;
  return groups.every((group) => {
    const byRecord = of(group, payments).some(
      (one) => one.type === 'PaymentAttachedToInvoice' && one.data.paymentRecord !== null,
    );
    return !byRecord && isGroupRefunded(group, payments);
  });
}

function isGroupRefunded(group: Ids, payments: readonly PaymentObservation[]): boolean {
  const charge = newestCharge(group, payments);
  return charge?.data.refunded === true && failedRefunds(group, payments, charge).length === 0;
}
