import type { Account } from '../account.js';
import type { Pages } from '../http/side-routes.js';
import type { Webhooks } from '../webhooks/delivery.js';
import { checkoutPage, submitCheckout } from './checkout-page.js';
import { portalPage, submitPortal } from './portal-page.js';

/** Real milliseconds that a buyer waits for endpoints before the success page (Stripe: "Fulfill orders", ten seconds). */
const MOST_WAIT_MS = 10_000;

/** Every page that is shown in a browser. */
export function pagesOf(account: Account, webhooks: Webhooks): Pages {
  return async (method, path, body) => {
    const [, first, second, id = ''] = path.split('/');
    const page = PAGES.find((one) => one.first === first && one.second === second);
    if (page === undefined) return null;
    const clock = account.testClockOf([page.customerOf(account, id) ?? '']);
    if (method !== 'POST') return account.inTimeOf(clock, () => page.shown(account, id));
    const answer = account.inTimeOf(clock, () => page.submitted(account, id, body));
    if (answer.status === 303) await settledWithin(webhooks, MOST_WAIT_MS);
    return answer;
  };
}

const PAGES = [
  {
    first: 'c',
    second: 'pay',
    customerOf: (account: Account, id: string) => account.checkoutSessions.find(id)?.customer,
    shown: checkoutPage,
    submitted: submitCheckout,
  },
  {
    first: 'p',
    second: 'session',
    customerOf: (account: Account, id: string) => account.portalSessions.find(id)?.customer,
    shown: portalPage,
    submitted: submitPortal,
  },
] as const;

async function settledWithin(webhooks: Webhooks, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([webhooks.settled(), late]);
  clearTimeout(timer);
}
