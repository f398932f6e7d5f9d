import type { CheckoutOptions } from '../../events/catalog.events.js';
import { MARKS } from '../../reactions/checkout/ended-by-payment.js';
import type { CheckoutRequest } from './checkout.schemas.js';
import { sha256 } from './customer-of-user.js';
import { addonUnits, pricedUnits, type Wanted } from './wanted.js';

/** Keys of the metadata that Tenure gives to sessions and subscriptions. */
export const METADATA = {
  reason: 'payment_reason',
  choice: 'tenure_choice',
  ...MARKS,
} as const;

/** Longest `client_reference_id` that Stripe takes; the metadata names the user in any case. */
const REFERENCE_LENGTH = 200;

/** Everything that a session of Stripe's is made of. */
export interface SessionParts {
  readonly request: CheckoutRequest;
  readonly wanted: Wanted;
  readonly customer: string;
  readonly trialDays: number;
  readonly options: CheckoutOptions;
  readonly userIdKey: string;
  /** Id of this checkout in metadata. */
  readonly checkout: string;
}

/**
 * Tells choices apart: the same one again is the open session. Where the browser goes is part of it, for a session cannot be
 * told another way.
 */
export function choiceKey(
  { successUrl, cancelUrl, uiMode }: CheckoutRequest,
  { offer, price, quantity, addons }: Wanted,
  trialDays: number,
): string {
  const parts = [offer.plan, offer.interval, price.id, String(quantity), String(trialDays), uiMode];
  const beside = addons.map(({ price, quantity }) => `${price} x ${quantity}`).sort();
  return sha256([...parts, successUrl, cancelUrl, ...beside]);
}

/** Parameters of a new session (Stripe: "Create a session"). */
export function sessionParams(parts: SessionParts): Readonly<Record<string, unknown>> {
  const { request, wanted, customer, trialDays, options, userIdKey, checkout } = parts;
  const isOnce = wanted.choice.interval === 'once';
  const metadata = {
    [userIdKey]: request.userId,
    [METADATA.reason]: 'purchase',
    [METADATA.checkout]: checkout,
    [METADATA.choice]: choiceKey(request, wanted, trialDays),
  };
  const { [METADATA.choice]: _, ...lasting } = metadata;
  return {
    mode: isOnce ? 'payment' : 'subscription',
    customer,
    ...(request.userId.length > REFERENCE_LENGTH ? {} : { client_reference_id: request.userId }),
    metadata,
    line_items: [pricedUnits(wanted), ...wanted.addons.map(addonUnits)],
    ...(isOnce
      ? { payment_intent_data: { metadata: lasting } }
      : {
          subscription_data: {
            metadata: lasting,
            ...(trialDays === 0 ? {} : { trial_period_days: trialDays }),
          },
        }),
    ...(request.uiMode === 'embedded'
      ? { ui_mode: 'embedded_page', return_url: request.successUrl }
      : { success_url: request.successUrl, cancel_url: request.cancelUrl }),
    ...(options.promotionCodes ? { allow_promotion_codes: true } : {}),
    ...(options.automaticTax ? { automatic_tax: { enabled: true } } : {}),
    ...(options.taxIds ? { tax_id_collection: { enabled: true } } : {}),
    ...customerUpdate(options),
    ...(options.locale === 'auto' ? {} : { locale: options.locale }),
  };
}

/** A customer that is used again takes what the page asks for only where it is told to (Stripe: "Create a session", `customer_update`). */
function customerUpdate({ automaticTax, taxIds }: CheckoutOptions): Readonly<Record<string, unknown>> {
  if (!automaticTax && !taxIds) return {};
  return {
    customer_update: { ...(automaticTax ? { address: 'auto' } : {}), ...(taxIds ? { name: 'auto' } : {}) },
  };
}
