import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { amountOf } from '../billing/amounts.js';
import { couponOf, reducedBy } from '../billing/discounts.js';
import type { CheckoutSession, LineItem, Price } from '../types.js';
import type { SessionParams as Params } from './checkout-session-params.js';
import { createPrice, priceOf } from './prices.js';
import { createProduct } from './products.js';

const DAY = 86_400;

/** What a session sells. @throws ApiError 400 */
export function lineItemsOf(account: Account, params: Params): readonly LineItem[] {
  return (params.line_items ?? []).map((wanted, index): LineItem => {
    const price = priceOfLine(account, wanted, `line_items[${index}][price]`);
    if (params.mode === 'payment' && price.recurring !== null) {
      throw invalidRequest('You must provide only one-time prices in `payment` mode.', {
        param: `line_items[${index}][price]`,
      });
    }
    const isMetered = price.recurring?.usage_type === 'metered';
    const quantity = isMetered ? null : (wanted.quantity ?? 1);
    const amount = isMetered ? 0 : amountOf(price, quantity ?? 1);
    return {
      id: `li_1${account.ids.letters(23)}`,
      object: 'item',
      adjustable_quantity: null,
      amount_discount: 0,
      amount_subtotal: amount,
      amount_tax: 0,
      amount_total: amount,
      currency: price.currency,
      description: account.products.find(price.product)?.name ?? price.product,
      metadata: {},
      price,
      quantity,
    };
  });
}

function priceOfLine(
  account: Account,
  wanted: NonNullable<Params['line_items']>[number],
  param: string,
): Price {
  if (wanted.price !== undefined) return priceOf(account, wanted.price, param);
  const { price_data } = wanted;
  if (price_data === undefined)
    throw invalidRequest(`Missing required param: ${param}.`, { code: 'parameter_missing', param });
  const { product, product_data, ...price } = price_data;
  const made =
    product ??
    createProduct(account, { name: product_data?.name ?? 'Product', metadata: product_data?.metadata ?? {} })
      .id;
  return createPrice(account, { ...price, product: made });
}

/** An open session as it is when it is made. */
export function sessionObject(
  account: Account,
  params: Params,
  lineItems: readonly LineItem[],
): CheckoutSession {
  const id = `cs_test_a1${account.ids.letters(56)}`;
  const subtotal = lineItems.reduce((sum, line) => sum + line.amount_subtotal, 0);
  const trial = params.subscription_data?.trial_period_days ?? params.subscription_data?.trial_end;
  const dueNow =
    trial === undefined
      ? subtotal
      : lineItems.reduce(
          (sum, line) => (line.price?.recurring === null ? sum + line.amount_subtotal : sum),
          0,
        );
  const off = (params.discounts ?? []).reduce((sum, discount) => sum + offBy(account, discount, dueNow), 0);
  const isSetup = params.mode === 'setup';
  const isEmbedded = params.ui_mode === 'embedded_page';
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: null,
    amount_subtotal: isSetup ? null : dueNow,
    amount_total: isSetup ? null : dueNow - off,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: isEmbedded ? `${id}_secret_${account.ids.letters(32)}` : null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: account.now,
    currency: lineItems[0]?.currency ?? params.currency ?? null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: params.customer ?? null,
    customer_account: null,
    customer_creation:
      params.customer !== undefined || params.mode !== 'payment'
        ? null
        : (params.customer_creation ?? 'if_required'),
    customer_details: null,
    customer_email: params.customer_email ?? null,
    discounts: (params.discounts ?? []).map(({ coupon, promotion_code }) => ({
      coupon: coupon ?? null,
      promotion_code: promotion_code ?? null,
    })),
    expires_at: params.expires_at ?? account.now + DAY,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: null,
    managed_payments: null,
    metadata: params.metadata ?? {},
    mode: params.mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection:
      params.mode === 'subscription' ? (params.payment_method_collection ?? 'always') : null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card', 'us_bank_account'],
    payment_status: isSetup || dueNow - off === 0 ? 'no_payment_required' : 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: params.success_url ?? null,
    total_details: { amount_discount: off, amount_shipping: 0, amount_tax: 0 },
    ui_mode: isEmbedded ? 'embedded_page' : 'hosted_page',
    url: isEmbedded ? null : `${account.url}/c/pay/${id}`,
    ...(params.return_url === undefined ? {} : { return_url: params.return_url }),
    wallet_options: null,
  };
}

/** What a discount takes off an amount. @throws ApiError 400 when it cannot be redeemed */
function offBy(account: Account, discount: NonNullable<Params['discounts']>[number], amount: number): number {
  const { coupon } = couponOf(account, discount);
  const [line] = reducedBy(coupon, '', [{ ...WHOLE, amount, subtotal: amount }]);
  return line?.discount_amounts?.[0]?.amount ?? 0;
}

const WHOLE: Parameters<typeof reducedBy>[2][number] = {
  object: 'line_item',
  amount: 0,
  currency: 'usd',
  description: null,
  discount_amounts: [],
  discountable: true,
  discounts: [],
  livemode: false,
  metadata: {},
  parent: null,
  period: { start: 0, end: 0 },
  pretax_credit_amounts: [],
  pricing: null,
  quantity: 1,
  quantity_decimal: '1',
  subscription: null,
  subtotal: 0,
  taxes: [],
};
