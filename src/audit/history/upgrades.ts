import { z } from 'zod';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { CustomerInvoiceObservationData, InvoiceObservationData } from '../../events/invoice.events.js';
import type { ReasonWithEvents } from '../../projections/read-models/reason-events.js';
import type { HistoryRow } from './history.reader.js';

/** What was paid for an upgrade, as the event of the invoice has it. Amounts are minor units, `paidAt` is RFC 3339. */
export interface UpgradePayment {
  readonly invoice: string;
  readonly customer: string | null;
  readonly amountPaid: number | null;
  readonly currency: string | null;
  readonly paidAt: string | null;
  readonly stripeEventId: string | null;
}

/** A move to a plan of higher rank; `payment` is `null` where the plan counted without one. */
export interface Upgrade {
  readonly from: string;
  readonly to: string;
  readonly payment: UpgradePayment | null;
}

type Invoice = InvoiceObservationData | CustomerInvoiceObservationData;

/** Invoices may be made a minute before the second that Stripe gives the change that they are for. */
const SLACK_SECONDS = 60;

/** What the reason of a subscription says of its plan period and of what paid for it. */
const periodFacts = z.looseObject({
  paid: z.looseObject({ invoice: z.string() }).nullish(),
  period: z.looseObject({ price: z.string().nullable(), since: z.string().nullable() }).nullish(),
});

/** Whether a snapshot gives a plan of higher rank than the one before, by the catalogue in force. */
export function isUpgrade({ before, snapshot }: HistoryRow, { plans }: PlanCatalog): boolean {
  const [from, to] = [plans[before.plan]?.rank, plans[snapshot.plan]?.rank];
  return to !== undefined && to > (from ?? Number.NEGATIVE_INFINITY) && before.plan !== snapshot.plan;
}

/**
 * The upgrade that a snapshot is, with who paid what: the invoice that the rule of the policy names, or of a first plan,
 * which counts at once, the first paid one for its price. A trial is not paid for.
 */
export function upgradeOf(
  { before, snapshot }: HistoryRow,
  reasons: readonly ReasonWithEvents[],
  events: readonly EventEnvelope[],
): Upgrade {
  const { source, status } = snapshot;
  const upgrade = { from: before.plan, to: snapshot.plan };
  if (source?.type !== 'subscription' || status === 'trialing') return { ...upgrade, payment: null };
  const reason = reasons.find(({ of }) => of === `subscription:${source.subscriptionId}`);
  const { paid, period } = periodFacts.parse(reason?.facts ?? {});
  const bills = events.flatMap((event) => paidInvoice(event) ?? []);
  const bill =
    paid == null && reason?.code === 'first_period'
      ? firstFor(source.subscriptionId, period, bills)
      : bills.find(({ invoice }) => invoice.invoice === paid?.invoice);
  return { ...upgrade, payment: bill === undefined ? null : paymentOf(bill) };
}

interface Bill {
  readonly invoice: Invoice;
  readonly event: EventEnvelope;
}

function paidInvoice(event: EventEnvelope): Bill | null {
  if (event.type !== 'SubscriptionPaid' && event.type !== 'CustomerInvoicePaid') return null;
  return event.data.status === 'paid' ? { invoice: event.data, event } : null;
}

/** The first invoice of a subscription since its plan began that took money for the plan's price. */
function firstFor(
  subscription: string,
  period: z.infer<typeof periodFacts>['period'],
  bills: readonly Bill[],
): Bill | undefined {
  const since = period?.since == null ? Number.POSITIVE_INFINITY : Date.parse(period.since) / 1_000;
  return bills
    .filter(({ invoice }) => invoice.created >= since - SLACK_SECONDS)
    .sort((a, b) => a.invoice.created - b.invoice.created)
    .find(({ invoice }) =>
      invoice.lines.some(
        (line) =>
          line.price === period?.price &&
          line.amount > 0 &&
          ('subscription' in invoice ? invoice.subscription : line.subscription) === subscription,
      ),
    );
}

function paymentOf({
  invoice: { invoice, customer, amountPaid, currency },
  event: { metadata },
}: Bill): UpgradePayment {
  const { stripeCreated, stripeEventId } = metadata;
  const paidAt = stripeCreated === null ? null : new Date(stripeCreated * 1_000).toISOString();
  return { invoice, customer, amountPaid, currency, paidAt, stripeEventId };
}
