import type { Tenure } from '../../src/bootstrap.js';
import { CheckoutWait } from '../../src/webhooks/checkout-wait.js';
import { until } from './until.js';

/**
 * Has an instance hold its replies to paid checkouts until what they sold is seen, however long a busy machine takes for
 * that; by itself it lets go after two seconds. It does so until the answer is called.
 */
export function holdUntilSeen({ app }: Pick<Tenure, 'app'>): () => void {
  const wait = app.get(CheckoutWait);
  const waited = wait.until.bind(wait);
  const held: CheckoutWait['until'] = (awaited) =>
    until('what was sold is seen', async () => {
      const outcome = await waited(awaited);
      return outcome === 'seen' && outcome;
    });
  Object.assign(wait, { until: held });
  return () => void Object.assign(wait, { until: waited });
}
