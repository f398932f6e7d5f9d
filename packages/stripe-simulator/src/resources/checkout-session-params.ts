import { z } from 'zod';
import * as p from '../params.js';
import { priceFields } from './prices.js';

/** Parameters of a new checkout session. */
export const sessionParams = z.strictObject({
  mode: z.enum(['payment', 'setup', 'subscription']),
  line_items: z
    .array(
      z.strictObject({
        price: p.text.optional(),
        price_data: z
          .strictObject({
            ...priceFields,
            product: p.text.optional(),
            product_data: z
              .strictObject({ name: p.text, description: p.ignored, metadata: p.metadata.optional() })
              .optional(),
          })
          .optional(),
        quantity: p.integer.optional(),
        adjustable_quantity: p.ignored,
        metadata: p.ignored,
      }),
    )
    .optional(),
  allow_promotion_codes: p.boolean.optional(),
  automatic_tax: p.ignored,
  billing_address_collection: p.ignored,
  cancel_url: p.text.optional(),
  client_reference_id: p.text.optional(),
  consent_collection: p.ignored,
  currency: p.text.optional(),
  custom_text: p.ignored,
  customer: p.text.optional(),
  customer_creation: z.enum(['always', 'if_required']).optional(),
  customer_email: p.text.optional(),
  customer_update: p.ignored,
  discounts: z
    .array(z.strictObject({ coupon: p.text.optional(), promotion_code: p.text.optional() }))
    .max(1)
    .optional(),
  expand: p.expand,
  expires_at: p.timestamp.optional(),
  integration_identifier: p.ignored,
  invoice_creation: p.ignored,
  locale: p.ignored,
  metadata: p.metadata.optional(),
  payment_intent_data: z
    .strictObject({
      description: p.text.optional(),
      metadata: p.metadata.optional(),
      setup_future_usage: z.enum(['off_session', 'on_session']).optional(),
    })
    .optional(),
  payment_method_collection: z.enum(['always', 'if_required']).optional(),
  payment_method_types: p.ignored,
  allowed_payment_method_types: p.ignored,
  payment_method_options: p.ignored,
  phone_number_collection: p.ignored,
  saved_payment_method_options: p.ignored,
  setup_intent_data: p.ignored,
  submit_type: p.ignored,
  subscription_data: z
    .strictObject({
      billing_cycle_anchor: p.timestamp.optional(),
      billing_mode: z.strictObject({ type: z.enum(['classic', 'flexible']), flexible: p.ignored }).optional(),
      description: p.text.optional(),
      invoice_settings: p.ignored,
      metadata: p.metadata.optional(),
      proration_behavior: p.ignored,
      trial_end: p.timestamp.optional(),
      trial_period_days: p.integer.optional(),
      trial_settings: z
        .strictObject({
          end_behavior: z.strictObject({
            missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']).optional(),
            billing_cycle_anchor: p.ignored,
          }),
        })
        .optional(),
    })
    .optional(),
  success_url: p.text.optional(),
  return_url: p.text.optional(),
  tax_id_collection: p.ignored,
  ui_mode: z.enum(['hosted', 'hosted_page', 'embedded_page']).optional(),
});

export type SessionParams = z.output<typeof sessionParams>;
