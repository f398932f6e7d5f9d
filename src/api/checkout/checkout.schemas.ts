import { z } from 'zod';
import { waitParameter } from '../../http/validation.js';

const units = z.int().min(1).max(999_999_999);
const name = z.string().min(1).max(100);
/** Where a browser is sent. No name, blank or backslash: what one reader takes for the host another may not. Stripe's `{CHECKOUT_SESSION_ID}` may be in it. */
export const urlOfBrowser = z
  .string()
  .max(2_000)
  .refine(
    (text) => /^https?:\/\/[^\s\\@/?#]+(?:[/?#][\x21-\x5b\x5d-\x7e]*)?$/i.test(text) && URL.canParse(text),
    { error: 'must be an http(s) URL of printable ASCII, without a user name' },
  );

/** What is to be bought, for whom, and where the browser goes from there. Prices come from the catalogue alone. */
export const checkoutRequest = z.strictObject({
  userId: z.string(),
  plan: name,
  interval: name.describe('the label of the price in the plan file, such as `monthly`'),
  quantity: units.optional().describe('units of the plan; left out: 1, of an upgrade as many as there are'),
  addons: z
    .record(name, units)
    .optional()
    .describe('units by the name of the add-on; left out: none, of an upgrade those that there are'),
  successUrl: urlOfBrowser,
  cancelUrl: urlOfBrowser,
  trial: z
    .boolean()
    .optional()
    .describe('true: with a trial or not at all; false: without; left out: with one where it is offered'),
  uiMode: z.enum(['hosted', 'embedded']).default('hosted'),
});
export type CheckoutRequest = z.infer<typeof checkoutRequest>;

export const checkoutResponse = z.strictObject({
  kind: z
    .enum(['checkout', 'portal', 'invoice', 'done'])
    .describe(
      '`checkout` and `portal`: a page of Stripe’s to go to; `invoice`: an invoice to be paid; `done`: nothing is left to do',
    ),
  sessionId: z
    .string()
    .nullable()
    .describe('`cs_…`, `bps_…` or `in_…`; of `done` null where nothing was billed'),
  url: z.string().nullable(),
  clientSecret: z.string().nullable().describe('of `uiMode: embedded`, for Stripe.js'),
  expiresAt: z.string().nullable(),
});
export type CheckoutResponse = z.infer<typeof checkoutResponse>;

export const checkoutStatusResponse = z.strictObject({
  sessionId: z.string(),
  userId: z.string(),
  purpose: z.enum(['purchase', 'upgrade']),
  plan: z.string(),
  interval: z.string(),
  quantity: z.int(),
  addons: z.record(z.string(), z.int()),
  status: z
    .enum(['open', 'processing', 'complete', 'payment_failed', 'expired'])
    .describe('`processing`: completed, and the money is on its way (bank debits)'),
  inForce: z.boolean().describe('whether the user has it now: paid, and in every answer of Tenure'),
  expiresAt: z.string().nullable(),
});
export type CheckoutStatusResponse = z.infer<typeof checkoutStatusResponse>;

export const checkoutStatusQuery = z.strictObject({ wait: waitParameter.default(0) });
export type CheckoutStatusQuery = z.infer<typeof checkoutStatusQuery>;

export const CHECKOUT_EXAMPLES = {
  CheckoutRequest: {
    userId: 'user_42',
    plan: 'plus',
    interval: 'monthly',
    successUrl: 'https://app.example.com/welcome',
    cancelUrl: 'https://app.example.com/plans',
  },
  Checkout: {
    kind: 'checkout',
    sessionId: 'cs_live_a1Lark',
    url: 'https://checkout.stripe.com/c/pay/cs_live_a1Lark',
    clientSecret: null,
    expiresAt: '2026-11-02T09:30:02.000Z',
  },
  CheckoutStatus: {
    sessionId: 'cs_live_a1Lark',
    userId: 'user_42',
    purpose: 'purchase',
    plan: 'plus',
    interval: 'monthly',
    quantity: 1,
    addons: {},
    status: 'complete',
    inForce: true,
    expiresAt: '2026-11-02T09:30:02.000Z',
  },
} satisfies {
  readonly CheckoutRequest: z.input<typeof checkoutRequest>;
  readonly Checkout: CheckoutResponse;
  readonly CheckoutStatus: CheckoutStatusResponse;
};
