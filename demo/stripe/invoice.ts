import type { Period, Price, StripeObject } from './event.js';

export interface InvoiceState {
  readonly id: string;
  readonly subscription: string;
  readonly customer: string;
  readonly itemId: string;
  readonly status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void';
  readonly reason: 'subscription_create' | 'subscription_cycle' | 'subscription_update';
  readonly price: Price;
  /** The price that this one takes the place of in its period, which it gives credit for. */
  readonly credited: Price | null;
  readonly period: Period;
  readonly created: number;
  readonly attempts: number;
}

export function invoiceObject(state: InvoiceState): StripeObject {
  const lines = invoiceLines(state);
  const amount = lines.reduce((sum, line) => sum + line.amount, 0);
  const paid = state.status === 'paid';
  return {
    id: state.id,
    object: 'invoice',
    account_country: 'US',
    account_name: 'Example SaaS',
    account_tax_ids: null,
    amount_due: amount,
    amount_overpaid: 0,
    amount_paid: paid ? amount : 0,
    amount_remaining: paid ? 0 : amount,
    amount_shipping: 0,
    application: null,
    attempt_count: state.attempts,
    attempted: state.attempts > 0,
    auto_advance: !paid,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: state.reason,
    collection_method: 'charge_automatically',
    created: state.created,
    currency: 'usd',
    custom_fields: null,
    customer: state.customer,
    customer_account: null,
    customer_address: null,
    customer_email: 'buyer@example.com',
    customer_name: 'Test Buyer',
    customer_phone: null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: state.created,
    ending_balance: 0,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: `https://invoice.stripe.com/i/acct_demo/${state.id}`,
    invoice_pdf: `https://pay.stripe.com/invoice/acct_demo/${state.id}/pdf`,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: {
      object: 'list',
      data: lines,
      has_more: false,
      total_count: lines.length,
      url: `/v1/invoices/${state.id}/lines`,
    },
    livemode: false,
    metadata: {},
    next_payment_attempt: paid ? null : state.created + 3 * 86_400,
    number: 'DEMO-0001',
    on_behalf_of: null,
    parent: {
      quote_details: null,
      subscription_details: { metadata: {}, subscription: state.subscription },
      type: 'subscription_details',
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: state.period.start,
    period_start: state.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: state.status,
    status_transitions: {
      finalized_at: state.created,
      marked_uncollectible_at: null,
      paid_at: paid ? state.created : null,
      voided_at: null,
    },
    subtotal: amount,
    subtotal_excluding_tax: amount,
    test_clock: null,
    total: amount,
    total_discount_amounts: [],
    total_excluding_tax: amount,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: state.created,
  };
}

function invoiceLines(state: InvoiceState) {
  const asked = invoiceLineObject(state, '', state.price, state.price.unitAmount);
  if (state.credited === null) return [asked];
  return [invoiceLineObject(state, 'credit', state.credited, -state.credited.unitAmount), asked];
}

function invoiceLineObject(state: InvoiceState, suffix: string, price: Price, amount: number) {
  return {
    id: `il_${state.id.slice(3)}${suffix}`,
    object: 'line_item',
    amount,
    currency: 'usd',
    description: `1 × ${price.name}`,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: state.id,
    livemode: false,
    metadata: {},
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: state.reason === 'subscription_update',
        proration_details: { credited_items: null },
        subscription: state.subscription,
        subscription_item: state.itemId,
      },
      type: 'subscription_item_details',
    },
    period: { end: state.period.end, start: state.period.start },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: price.id, product: price.product },
      type: 'price_details',
      unit_amount_decimal: String(amount),
    },
    quantity: 1,
    quantity_decimal: '1',
    subtotal: amount,
    taxes: [],
  };
}
