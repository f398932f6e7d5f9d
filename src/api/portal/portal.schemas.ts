import { z } from 'zod';
import { urlOfBrowser } from '../checkout/checkout.schemas.js';

export const portalRequest = z.strictObject({
  userId: z.string().min(1).max(255),
  returnUrl: urlOfBrowser.describe('where the portal leads back to; of an origin of CHECKOUT_URL_ORIGINS'),
});
export type PortalRequest = z.infer<typeof portalRequest>;

export const portalResponse = z.strictObject({
  sessionId: z.string(),
  url: z.string().describe('to send the browser to, at once: Stripe lets it in for a few minutes'),
});
export type PortalResponse = z.infer<typeof portalResponse>;

export const PORTAL_EXAMPLES = {
  PortalRequest: { userId: 'user_42', returnUrl: 'https://app.example.com/account' },
  Portal: { sessionId: 'bps_Lark', url: 'https://billing.stripe.com/p/session/live_Lark' },
} satisfies {
  readonly PortalRequest: z.input<typeof portalRequest>;
  readonly Portal: PortalResponse;
};
