import type { StripeObject } from './event.js';

export interface CheckoutState {
  readonly id: string;
  readonly customer: string;
  readonly subscription: string;
  readonly invoice: string;
  readonly userId: string;
  readonly amount: number;
  readonly created: number;
}

/** A subscription checkout, completed and paid. */
export function checkoutSessionObject(state: CheckoutState): StripeObject {
  return {
    id: state.id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: null,
    amount_subtotal: state.amount,
    amount_total: state.amount,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: 'https://app.example.com/billing?checkout=cancelled',
    client_reference_id: state.userId,
    client_secret: null,
    consent: null,
    consent_collection: null,
    created: state.created,
    currency: 'usd',
    currency_conversion: null,
    custom_fields: [],
    customer: state.customer,
    customer_account: null,
    customer_creation: null,
    customer_details: {
      address: null,
      email: 'buyer@example.com',
      name: 'Test Buyer',
      phone: null,
      tax_exempt: 'none',
      tax_ids: [],
    },
    customer_email: null,
    discounts: [],
    expires_at: state.created + 86_400,
    invoice: state.invoice,
    invoice_creation: null,
    livemode: false,
    locale: null,
    metadata: {},
    mode: 'subscription',
    payment_intent: null,
    payment_link: null,
    payment_method_collection: 'always',
    payment_method_types: ['card'],
    payment_status: 'paid',
    phone_number_collection: { enabled: false },
    recovered_from: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'complete',
    submit_type: null,
    subscription: state.subscription,
    success_url: 'https://app.example.com/billing?session_id={CHECKOUT_SESSION_ID}',
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: 'hosted_page',
    url: null,
    wallet_options: null,
  };
}
