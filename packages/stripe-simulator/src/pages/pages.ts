import type { Account } from '../account.js';
import type { Pages } from '../http/aside.js';
import type { Webhooks } from '../webhooks/delivery.js';
import { checkoutPage, submitCheckout } from './checkout-page.js';

/** Real milliseconds that a buyer waits for endpoints before the success page (Stripe: "Fulfill orders", ten seconds). */
const MOST_WAIT_MS = 10_000;

/** Every page that is shown in a browser. */
export function pagesOf(account: Account, webhooks: Webhooks): Pages {
  return async (method, path, body) => {
    const [, first, second, id = ''] = path.split('/');
    if (first !== 'c' || second !== 'pay') return null;
    const clock = account.testClockOf([account.checkoutSessions.find(id)?.customer ?? '']);
    if (method !== 'POST') return account.inTimeOf(clock, () => checkoutPage(account, id));
    const answer = account.inTimeOf(clock, () => submitCheckout(account, id, body));
    if (answer.status === 303) await settledWithin(webhooks, MOST_WAIT_MS);
    return answer;
  };
}

async function settledWithin(webhooks: Webhooks, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([webhooks.settled(), late]);
  clearTimeout(timer);
}
