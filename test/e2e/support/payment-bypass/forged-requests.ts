import { APP } from '../shop.js';
import { type BypassAttempt, PLUS, PRO } from './bypass-attempt.js';
import { outcomeOf } from './bypassing-user.js';

/** Requests that name what is not theirs to name. */
export const FORGED_REQUESTS: readonly BypassAttempt[] = [
  [
    'Nothing but the catalogue says what is sold and for how much',
    async (user) => {
      const named = [
        { price: 'p' },
        { priceId: 'p' },
        { amount: 1 },
        { currency: 'jpy' },
        { customer: 'cus_1' },
      ];
      const more = [{ discounts: [] }, { metadata: {} }, { trialDays: 90 }, { mode: 'setup' }];
      return Promise.all([...named, ...more].map((each) => user.begin({ ...PLUS, ...each })));
    },
    Array.from({ length: 9 }, () => '400 invalid_request'),
  ],
  [
    'Units are whole and one at least',
    async (user) => {
      const units = [0, -1, 1.5, 1e9, '2', null];
      const beside = [{ seats: 0 }, { seats: -1 }, ['seats']];
      return Promise.all([
        ...units.map((quantity) => user.begin({ ...PLUS, quantity })),
        ...beside.map((addons) => user.begin({ ...PLUS, addons })),
      ]);
    },
    Array.from({ length: 9 }, () => '400 invalid_request'),
  ],
  [
    'Names that every object has are none of the catalogue’s',
    async (user) => [
      await user.begin({ ...PLUS, plan: '__proto__' }),
      await user.begin({ ...PLUS, interval: 'constructor' }),
      await user.begin({ ...PLUS, addons: { constructor: 1 } }),
      await user.change({ plan: 'constructor' }),
    ],
    ['422 unknown_plan', '422 unknown_interval', '422 unknown_addon', '422 unknown_plan'],
  ],
  [
    'The way back leads nowhere but home, by whatever reading',
    async (user, shop) => {
      const urls = ['https://evil.example/', `${APP}\\@evil.example/`, `${APP}@evil.example/`, `${APP}:444/`];
      const back = await Promise.all(
        urls.map((returnUrl) =>
          shop.service.ask('POST', '/v1/portal/sessions', { userId: user.id, returnUrl }),
        ),
      );
      return [
        ...(await Promise.all(urls.map((url) => user.begin({ ...PLUS, successUrl: url })))),
        ...back.map(outcomeOf),
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
    async (user) => {
      const urls = { successUrl: APP, cancelUrl: APP };
      return [
        await user.asUser('POST', '/v1/checkout/sessions', { userId: 'other', ...PLUS, ...urls }),
        await user.asUser('POST', '/v1/portal/sessions', { userId: 'other', returnUrl: APP }),
        await user.asUser('PATCH', '/v1/users/other/plan', { plan: 'free' }),
        await user.asUser('POST', `/v1/users/${user.id}/grants`, { plan: 'pro', reason: 'mine' }),
        await user.asUser('PUT', `/v1/users/${user.id}/overrides/members`, { value: 99, reason: 'mine' }),
        await user.asUser('PUT', '/v1/customers/cus_1/link', { userId: user.id }),
        await user.asUser('PATCH', `/v1/users/${user.id}/plan`, { plan: 'pro' }),
        await user.has(),
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
    async (user, shop) => {
      const begin = (choice: object) =>
        shop.service.ask(
          'POST',
          '/v1/checkout/sessions',
          { userId: user.id, successUrl: APP, cancelUrl: APP, ...choice },
          { 'idempotency-key': 'mine' },
        );
      const [first, same, other] = [await begin(PLUS), await begin(PLUS), await begin(PRO)];
      return [outcomeOf(first), same.body.sessionId === first.body.sessionId, outcomeOf(other)];
    },
    ['200 checkout', true, '422 idempotency_key_reused'],
  ],
];
