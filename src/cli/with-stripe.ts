import { loadStripeApiSettings } from '../config/part-settings.js';
import type { StripeIds } from '../pseudonyms/stripe-ids.js';
import { RequestBudget } from '../stripe/gateway/request-pace.js';
import { StripeGateway } from '../stripe/gateway/stripe.gateway.js';
import type { Terminal } from './terminal.js';

/**
 * Lets `work` ask Stripe's API, as gently as a service does; `ids` exchanges user ids on the way (`null`: nothing does).
 * @throws InvalidSettingsError where there is no key
 */
export async function withStripe<Result>(
  terminal: Terminal,
  ids: StripeIds | null,
  work: (gateway: StripeGateway, livemode: boolean) => Promise<Result>,
): Promise<Result> {
  const { secretKey, apiBase, perSecond, livemode } = loadStripeApiSettings(terminal.environment);
  const budget = new RequestBudget({ perSecond, livemode });
  const gateway = new StripeGateway({ secretKey, apiBase, ids, budget, onRequest: () => undefined });
  try {
    return await work(gateway, livemode);
  } finally {
    gateway.close();
  }
}
