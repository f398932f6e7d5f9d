import { APP } from '../shop.js';
import { said } from '../stranger.js';
import { PLUS, PRO, type Road } from './road.js';

/** Requests that name what is not theirs to name. */
export const FORGED_REQUESTS: readonly Road[] = [
  [
    'Nothing but the catalogue says what is sold and for how much',
    async (who) => {
      const named = [
        { price: 'p' },
        { priceId: 'p' },
        { amount: 1 },
        { currency: 'jpy' },
        { customer: 'cus_1' },
      ];
      const more = [{ discounts: [] }, { metadata: {} }, { trialDays: 90 }, { mode: 'setup' }];
      return Promise.all([...named, ...more].map((each) => who.begin({ ...PLUS, ...each })));
    },
    Array.from({ length: 9 }, () => '400 invalid_request'),
  ],
  [
    'Units are whole and one at least',
    async (who) => {
      const units = [0, -1, 1.5, 1e9, '2', null];
      const beside = [{ seats: 0 }, { seats: -1 }, ['seats']];
      return Promise.all([
        ...units.map((quantity) => who.begin({ ...PLUS, quantity })),
        ...beside.map((addons) => who.begin({ ...PLUS, addons })),
      ]);
    },
    Array.from({ length: 9 }, () => '400 invalid_request'),
  ],
  [
    'Names that every object has are none of the catalogue’s',
    async (who) => [
      await who.begin({ ...PLUS, plan: '__proto__' }),
      await who.begin({ ...PLUS, interval: 'constructor' }),
      await who.begin({ ...PLUS, addons: { constructor: 1 } }),
      await who.change({ plan: 'constructor' }),
    ],
    ['422 unknown_plan', '422 unknown_interval', '422 unknown_addon', '422 unknown_plan'],
  ],
  [
    'The way back leads nowhere but home, by whatever reading',
    async (who, shop) => {
      const urls = ['https://evil.example/', `${APP}\\@evil.example/`, `${APP}@evil.example/`, `${APP}:444/`];
      const back = await Promise.all(
        urls.map((returnUrl) =>
          shop.service.ask('POST', '/v1/portal/sessions', { userId: who.id, returnUrl }),
        ),
      );
      return [
        ...(await Promise.all(urls.map((url) => who.begin({ ...PLUS, successUrl: url })))),
        ...back.map(said),
      ];
    },
    [
      '422 url_not_allowed',
      '400 invalid_request',
      '400 invalid_request',
      '422 url_not_allowed',
      '422 url_not_allowed',
      '400 invalid_request',
      '400 invalid_request',
      '422 url_not_allowed',
    ],
  ],
  [
    'A user token reaches its own user alone, and nothing that is given by hand',
    async (who) => {
      const urls = { successUrl: APP, cancelUrl: APP };
      return [
        await who.asUser('POST', '/v1/checkout/sessions', { userId: 'other', ...PLUS, ...urls }),
        await who.asUser('POST', '/v1/portal/sessions', { userId: 'other', returnUrl: APP }),
        await who.asUser('PATCH', '/v1/users/other/plan', { plan: 'free' }),
        await who.asUser('POST', `/v1/users/${who.id}/grants`, { plan: 'pro', reason: 'mine' }),
        await who.asUser('PUT', `/v1/users/${who.id}/overrides/members`, { value: 99, reason: 'mine' }),
        await who.asUser('PUT', '/v1/customers/cus_1/link', { userId: who.id }),
        await who.asUser('PATCH', `/v1/users/${who.id}/plan`, { plan: 'pro' }),
        await who.has(),
      ];
    },
    [
      '403 other_user',
      '403 other_user',
      '403 other_user',
      '403 forbidden',
      '403 forbidden',
      '403 forbidden',
      '403 PAID_UPGRADE_REQUIRED',
      'free none',
    ],
  ],
  [
    'A key of a request is of the same bytes alone',
    async (who, shop) => {
      const begin = (choice: object) =>
        shop.service.ask(
          'POST',
          '/v1/checkout/sessions',
          { userId: who.id, successUrl: APP, cancelUrl: APP, ...choice },
          { 'idempotency-key': 'mine' },
        );
      const [first, same, other] = [await begin(PLUS), await begin(PLUS), await begin(PRO)];
      return [said(first), same.body.sessionId === first.body.sessionId, said(other)];
    },
    ['200 checkout', true, '422 idempotency_key_reused'],
  ],
];
