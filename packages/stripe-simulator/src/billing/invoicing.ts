import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import type { Customer, Invoice, InvoiceItem, Metadata, Subscription } from '../types.js';
import { applyDiscounts } from './discounts.js';
import { type DraftLine, lineOfInvoiceItem, linesOf } from './invoice-lines.js';
import { draftInvoice, totalsOf } from './invoice-object.js';
import { attemptPayment, openPayment } from './invoice-payments.js';
import type { Period } from './periods.js';

export interface InvoiceToMake {
  readonly customer: Customer;
  readonly subscription: Subscription | null;
  readonly reason: NonNullable<Invoice['billing_reason']>;
  readonly currency: string;
  readonly period: Period;
  readonly lines: readonly DraftLine[];
  readonly autoAdvance: boolean;
  /** Whether it stays a draft for the account's `draft_seconds` before it is finalized by itself. */
  readonly finalizes: 'later' | 'when_told';
  /** Pending invoice items that it takes along. */
  readonly pending: readonly InvoiceItem[];
  readonly collection?: Invoice['collection_method'];
  readonly daysUntilDue?: number | null;
  readonly method?: string | null;
  readonly description?: string | null;
  readonly metadata?: Metadata;
}

/** Makes a draft with its lines; `invoice.created`. */
export function createInvoice(account: Account, wanted: InvoiceToMake): Invoice {
  const finalizesAt =
    wanted.autoAdvance && wanted.finalizes === 'later' ? account.now + account.settings.draft_seconds : null;
  const collection = wanted.collection ?? wanted.subscription?.collection_method ?? 'charge_automatically';
  const draft = draftInvoice(account, {
    customer: wanted.customer,
    subscription: wanted.subscription,
    reason: wanted.reason,
    currency: wanted.currency,
    period: wanted.period,
    collection,
    daysUntilDue:
      collection === 'send_invoice'
        ? (wanted.daysUntilDue ?? wanted.subscription?.days_until_due ?? 30)
        : null,
    autoAdvance: wanted.autoAdvance,
    method: wanted.method ?? null,
    description: wanted.description ?? null,
    metadata: wanted.metadata ?? {},
    finalizesAt,
  });
  const drafts = [...wanted.pending.map((item) => lineOfInvoiceItem(account, item)), ...wanted.lines];
  for (const item of wanted.pending) account.change(account.invoiceItems, item.id, { invoice: draft.id });
  const discounted = applyDiscounts(account, wanted.customer, wanted.subscription, drafts);
  const lines = linesOf(account, draft.id, discounted.lines);
  account.invoiceLines.set(draft.id, lines);
  const invoice = account.add(
    account.invoices,
    { ...draft, ...totalsOf(draft, lines), discounts: discounted.discounts },
    'invoice.created',
  );
  if (finalizesAt !== null) account.at(finalizesAt, () => advance(account, invoice.id));
  return invoice;
}

/** What a draft does by itself when its time has come: it is finalized, and paid where that is automatic. */
function advance(account: Account, id: string): void {
  const draft = account.invoices.find(id);
  if (draft?.status !== 'draft' || draft.auto_advance !== true) return;
  const open = finalizeInvoice(account, draft);
  if (open.status === 'open' && open.collection_method === 'charge_automatically') {
    attemptPayment(account, open, { presence: 'off_session', method: null });
  }
}

/** Closes a draft: a number, the customer's balance applied; one that asks for nothing is paid at once. @throws ApiError 400 */
export function finalizeInvoice(account: Account, draft: Invoice): Invoice {
  if (draft.status !== 'draft') {
    throw invalidRequest('This invoice is already finalized, you can’t re-finalize a non-draft invoice.');
  }
  const customer = account.customers.find(draft.customer ?? '');
  if (customer === undefined) throw new Error(`${draft.id} is of nobody`);
  const { starting, ending, due } = applyBalance(account, customer, draft);
  const sequence = customer.next_invoice_sequence ?? 1;
  account.change(account.customers, customer.id, { next_invoice_sequence: sequence + 1 });
  const open = account.change(account.invoices, draft.id, {
    status: 'open',
    number: `${customer.invoice_prefix}-${String(sequence).padStart(4, '0')}`,
    starting_balance: starting,
    ending_balance: ending,
    amount_due: due,
    amount_remaining: due,
    automatically_finalizes_at: null,
    next_payment_attempt: null,
    effective_at: account.now,
    hosted_invoice_url: `https://invoice.stripe.com/i/${account.id}/test_${draft.id}`,
    invoice_pdf: `https://pay.stripe.com/invoice/${account.id}/test_${draft.id}/pdf`,
    status_transitions: { ...draft.status_transitions, finalized_at: account.now },
    webhooks_delivered_at: account.now,
  });
  account.emit('invoice.finalized', open);
  if (due === 0) return settleInvoice(account, open, { attempted: true });
  if (open.due_date !== null) account.at(open.due_date, () => tellOverdue(account, open.id));
  openPayment(account, open);
  return open;
}

function tellOverdue(account: Account, id: string): void {
  const invoice = account.invoices.find(id);
  if (invoice?.status === 'open') account.emit('invoice.overdue', invoice);
}

/** What the customer's balance does to an invoice; a negative total becomes credit. */
function applyBalance(
  account: Account,
  customer: Customer,
  invoice: Invoice,
): { readonly starting: number; readonly ending: number; readonly due: number } {
  const starting = customer.balance;
  const open = invoice.total + starting;
  const ending = invoice.total < 0 || starting !== 0 ? Math.min(open, 0) : 0;
  const due = Math.max(open, 0);
  if (ending !== starting)
    account.change(account.customers, customer.id, { balance: ending }, 'customer.updated');
  return { starting, ending, due };
}

/** An invoice that is paid, in whatever way; tells the events and whoever reacts. */
export function settleInvoice(
  account: Account,
  invoice: Invoice,
  changes: Partial<Pick<Invoice, 'attempted' | 'amount_paid' | 'amount_paid_off_stripe'>>,
): Invoice {
  const paid = account.change(
    account.invoices,
    invoice.id,
    {
      ...changes,
      status: 'paid',
      amount_remaining: 0,
      auto_advance: false,
      next_payment_attempt: null,
      status_transitions: { ...invoice.status_transitions, paid_at: account.now },
    },
    'invoice.updated',
  );
  account.tell({ kind: 'invoice_paid', invoice: paid });
  account.emit('invoice.paid', paid);
  account.emit('invoice.payment_succeeded', paid);
  return paid;
}

/** An open or written off invoice that nobody is to pay any more. @throws ApiError 400 */
export function voidInvoice(account: Account, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw invalidRequest(`You can only pass in open or uncollectible invoices. This invoice isn't open.`);
  }
  const voided = account.change(account.invoices, invoice.id, {
    status: 'void',
    amount_remaining: 0,
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, voided_at: account.now },
  });
  account.emit('invoice.voided', voided);
  account.tell({ kind: 'invoice_voided', invoice: voided });
  return voided;
}

/** An open invoice that is written off, by hand or as the account's settings say; it can still be paid. @throws ApiError 400 */
export function markUncollectible(account: Account, invoice: Invoice, by: 'user' | 'dunning'): Invoice {
  if (invoice.status !== 'open' && invoice.status !== 'draft') {
    throw invalidRequest(`You can only mark open invoices as uncollectible.`);
  }
  const written = account.change(account.invoices, invoice.id, {
    status: 'uncollectible',
    auto_advance: false,
    next_payment_attempt: null,
    status_transitions: { ...invoice.status_transitions, marked_uncollectible_at: account.now },
  });
  account.emit('invoice.marked_uncollectible', written);
  if (by === 'user') account.tell({ kind: 'invoice_uncollectible', invoice: written });
  return written;
}

/** Pending items of a customer, of one subscription and of none, oldest first. */
export function pendingItems(
  account: Account,
  customer: string,
  subscription: string | null,
): readonly InvoiceItem[] {
  const selected = account.invoiceItems.select({
    by: ['customer', customer],
    where: (row) => row.invoice === null,
  });
  return [...selected].filter((row) => {
    const of = row.parent?.subscription_details?.subscription;
    return of === undefined || of === subscription;
  });
}
