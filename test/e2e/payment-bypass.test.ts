import { IdentityProvider } from '../support/identity-provider.js';
import { DAY, plans } from './support/payment-bypass/bypass-attempt.js';
import { BypassingUser } from './support/payment-bypass/bypassing-user.js';
import { FORGED_REQUESTS } from './support/payment-bypass/forged-requests.js';
import { RETURNED_PAYMENTS } from './support/payment-bypass/returned-payments.js';
import { UNPAID_CHANGES } from './support/payment-bypass/unpaid-changes.js';
import { A_MONTH_AGO, UNPAID_PURCHASES } from './support/payment-bypass/unpaid-purchases.js';
import { Shop } from './support/shop.js';

const TIMEOUT_MS = 240_000;
const ATTEMPTS = [...UNPAID_PURCHASES, ...UNPAID_CHANGES, ...RETURNED_PAYMENTS, ...FORGED_REQUESTS];

describe('A user who wants a plan without paying for it', () => {
  let shop: Shop;
  let provider: IdentityProvider;

  beforeAll(async () => {
    provider = await IdentityProvider.start();
    shop = await Shop.open({ startsAgo: 32 * DAY, environment: provider.environment, plans });
    for (const [rule] of ATTEMPTS) {
      const before = A_MONTH_AGO[rule];
      if (before !== undefined) await before(bypassingUser(rule), shop);
    }
    await shop.simulator.moveTo(Math.floor(Date.now() / 1_000) - 3_000);
    await shop.heard();
  }, TIMEOUT_MS);
  afterAll(async () => {
    await shop?.close();
    await provider?.close();
  });

  function bypassingUser(rule: string): BypassingUser {
    return new BypassingUser(`user_${ATTEMPTS.findIndex(([each]) => each === rule)}`, shop, provider);
  }

  it.each(ATTEMPTS)(
    '%s',
    async (rule, attempt, answers) => {
      const user = bypassingUser(rule);
      expect(await attempt(user, shop)).toEqual(answers);
      expect((await shop.customersOf(user.id)).length).toBeLessThanOrEqual(1);
      expect((await shop.runningOf(user.id)).length).toBeLessThanOrEqual(1);
    },
    TIMEOUT_MS,
  );
});
