import { IdentityProvider } from '../support/identity-provider.js';
import { FORGED_REQUESTS } from './support/roads/forged-requests.js';
import { MONEY_BACK } from './support/roads/money-back.js';
import { DAY, plans } from './support/roads/road.js';
import { A_MONTH_AGO, UNPAID_BEGINNINGS } from './support/roads/unpaid-beginnings.js';
import { UNPAID_CHANGES } from './support/roads/unpaid-changes.js';
import { Shop } from './support/shop.js';
import { Stranger } from './support/stranger.js';

const TIMEOUT_MS = 240_000;
const ROADS = [...UNPAID_BEGINNINGS, ...UNPAID_CHANGES, ...MONEY_BACK, ...FORGED_REQUESTS];

describe('Who wants a plan without paying for it', () => {
  let shop: Shop;
  let provider: IdentityProvider;

  beforeAll(async () => {
    provider = await IdentityProvider.start();
    shop = await Shop.open({ startsAgo: 32 * DAY, environment: provider.environment, plans });
    for (const [rule] of ROADS) {
      const before = A_MONTH_AGO[rule];
      if (before !== undefined) await before(stranger(rule), shop);
    }
    await shop.simulator.moveTo(Math.floor(Date.now() / 1_000) - 3_000);
    await shop.heard();
  }, TIMEOUT_MS);
  afterAll(async () => {
    await shop?.close();
    await provider?.close();
  });

  function stranger(rule: string): Stranger {
    return new Stranger(`stranger_${ROADS.findIndex(([each]) => each === rule)}`, shop, provider);
  }

  it.each(ROADS)(
    '%s',
    async (rule, road, answers) => {
      const who = stranger(rule);
      expect(await road(who, shop)).toEqual(answers);
      expect((await shop.customersOf(who.id)).length).toBeLessThanOrEqual(1);
      expect((await shop.runningOf(who.id)).length).toBeLessThanOrEqual(1);
    },
    TIMEOUT_MS,
  );
});
