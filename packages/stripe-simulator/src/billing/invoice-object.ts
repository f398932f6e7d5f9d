import type { Account } from '../account.js';
import type { InvoiceLines } from '../account-tables.js';
import { listInside } from '../stored-list.js';
import type { Customer, Invoice, Metadata, Subscription } from '../types.js';
import type { Period } from './periods.js';

export interface InvoiceParts {
  readonly customer: Customer;
  readonly subscription: Subscription | null;
  readonly reason: NonNullable<Invoice['billing_reason']>;
  readonly currency: string;
  readonly period: Period;
  readonly collection: Invoice['collection_method'];
  readonly daysUntilDue: number | null;
  readonly autoAdvance: boolean;
  readonly method: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly finalizesAt: number | null;
}

const NO_TAX = {
  disabled_reason: null,
  enabled: false,
  liability: null,
  provider: null,
  status: null,
} as const;
const NO_PAYMENT_SETTINGS = {
  default_mandate: null,
  payment_method_options: null,
  payment_method_types: null,
} as const;

/** A draft with no lines yet. */
export function draftInvoice(account: Account, parts: InvoiceParts): Invoice {
  const { customer, subscription } = parts;
  const id = account.ids.next('in');
  return {
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: 'Example SaaS',
    account_tax_ids: null,
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: parts.autoAdvance,
    automatic_tax: NO_TAX,
    automatically_finalizes_at: parts.finalizesAt,
    billing_reason: parts.reason,
    collection_method: parts.collection,
    created: account.now,
    currency: parts.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: customer.tax_exempt ?? 'none',
    customer_tax_ids: [],
    default_payment_method: parts.method,
    default_source: null,
    default_tax_rates: [],
    description: parts.description,
    discounts: [],
    due_date: parts.daysUntilDue === null ? null : account.now + parts.daysUntilDue * 86_400,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: listInside([], `/v1/invoices/${id}/lines`),
    livemode: false,
    metadata: parts.metadata,
    next_payment_attempt: parts.autoAdvance && parts.finalizesAt !== null ? parts.finalizesAt : null,
    number: null,
    on_behalf_of: null,
    parent:
      subscription === null
        ? null
        : {
            quote_details: null,
            subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
            type: 'subscription_details',
          },
    payment_settings: NO_PAYMENT_SETTINGS,
    period_end: parts.period.end,
    period_start: parts.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    subtotal_excluding_tax: 0,
    test_clock: customer.test_clock ?? null,
    total: 0,
    total_discount_amounts: [],
    total_excluding_tax: 0,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  };
}

/** What an invoice comes to with these lines; before it is finalized the customer's balance is not touched. */
export function totalsOf(
  invoice: Invoice,
  lines: InvoiceLines,
): Pick<
  Invoice,
  | 'lines'
  | 'subtotal'
  | 'subtotal_excluding_tax'
  | 'total'
  | 'total_excluding_tax'
  | 'total_discount_amounts'
  | 'total_pretax_credit_amounts'
  | 'amount_due'
  | 'amount_remaining'
> {
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0);
  const discounts = new Map<string, number>();
  for (const { amount, discount } of lines.flatMap((line) => line.discount_amounts ?? [])) {
    discounts.set(discount, (discounts.get(discount) ?? 0) + amount);
  }
  const reduced = [...discounts].map(([discount, amount]) => ({ amount, discount }));
  const total = subtotal - reduced.reduce((sum, { amount }) => sum + amount, 0);
  const due = Math.max(0, total + invoice.starting_balance);
  return {
    lines: listInside(lines, `/v1/invoices/${invoice.id}/lines`),
    subtotal,
    subtotal_excluding_tax: subtotal,
    total,
    total_excluding_tax: total,
    total_discount_amounts: reduced,
    total_pretax_credit_amounts: reduced.map((one) => ({ ...one, type: 'discount' as const })),
    amount_due: due,
    amount_remaining: due,
  };
}
