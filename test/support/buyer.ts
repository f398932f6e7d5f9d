import { randomBytes } from 'node:crypto';
import { SimulatedClock } from '../../demo/stripe/simulated-clock.js';
import { SimulatedSubscription } from '../../demo/stripe/simulated-subscription.js';

/** Prices of the plan file that is shipped. */
export const PLUS = { id: 'price_plus_m', product: 'prod_plus', name: 'Plus', unitAmount: 1900 };
export const PRO = { id: 'price_pro_m', product: 'prod_pro', name: 'Pro', unitAmount: 4900 };

/** A buyer with a subscription at a make-believe Stripe; ids are made from a name that nobody else has. */
export function buyer(
  userId: string | null,
  price = PLUS,
): SimulatedSubscription & { readonly name: string } {
  const name = randomBytes(6).toString('hex');
  const clock = new SimulatedClock(Math.floor(Date.now() / 1000) - 3_600);
  return Object.assign(new SimulatedSubscription(clock, { name, userId, price }), { name });
}
