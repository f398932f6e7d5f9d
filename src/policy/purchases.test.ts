import fc from 'fast-check';
import {
  at,
  day,
  dispute,
  invoice,
  item,
  line,
  type PurchaseStory,
  purchase,
  refunded,
  refundFailed,
  type SubscriptionStory,
  sale,
  seen,
  started,
  storyCatalog,
  subscription,
} from '../../test/support/policy-stories.js';
import { judge } from './judge.js';

interface Then {
  readonly plan: string;
  readonly status: string;
  readonly members?: number;
  readonly source?: object | null;
}

/** Purchases cs_1, cs_2 and so on of one user, beside a subscription. */
interface Given {
  readonly purchases: readonly PurchaseStory[];
  readonly subscription?: SubscriptionStory;
  readonly policy?: Record<string, unknown>;
}

const bought = sale('CheckoutCompleted', day(0), { pro_once: 1 });
const unlisted = sale('CheckoutCompleted', day(0), null);
const bankDebit = sale('CheckoutCompleted', day(0), { pro_once: 1 }, { paymentStatus: 'unpaid' });
const listed = (sold: Readonly<Record<string, number>>) => sale('CheckoutRetrieved', day(1), sold);
const charge = (status: string, amount = 1000) => dispute('created', status, day(2), {}, { amount });
const plusMonth: SubscriptionStory = [
  seen('created', day(0), { items: [item('plus_m')] }),
  invoice('paid', day(0), {
    lines: [line('plus_m', 1000, day(0), day(30))],
    billingReason: 'subscription_create',
  }),
];
const proMonth: SubscriptionStory = [seen('created', day(0), { items: [item('pro_m')] })];
const canceled: SubscriptionStory = [...proMonth, seen('deleted', day(5), { status: 'canceled' })];

const cs = (n: number) => ({ type: 'purchase', sessionId: `cs_${n}`, customerId: 'cus_1' });
const nothing: Then = { plan: 'free', status: 'none', source: null };
const pro: Then = { plan: 'pro', status: 'active', members: 5000, source: cs(1) };
const gone: Then = { plan: 'free', status: 'unpaid', source: null };

const table: readonly (readonly [string, Given, Then])[] = [
  ['a paid session of a lifetime price gives its plan for good', { purchases: [[bought]] }, pro],
  ['a list of prices: all count', { purchases: [[unlisted, listed({ pro_once_key: 1 })]] }, pro],
  [
    'a session that needed no payment',
    {
      purchases: [
        [
          sale(
            'CheckoutCompleted',
            day(0),
            { pro_once: 1 },
            { paymentStatus: 'no_payment_required', paymentIntent: null },
          ),
        ],
      ],
    },
    pro,
  ],
  ['a session that is not paid yet', { purchases: [[bankDebit]] }, nothing],
  [
    'a bank debit that arrived',
    { purchases: [[bankDebit, sale('CheckoutPaymentSucceeded', day(3), null)]] },
    pro,
  ],
  [
    'a bank debit that failed',
    { purchases: [[bankDebit, sale('CheckoutPaymentFailed', day(3), null, { paymentStatus: 'unpaid' })]] },
    nothing,
  ],
  ['a session that was seen paid by asking alone', { purchases: [[listed({ pro_once: 1 })]] }, pro],
  [
    'an open session that says paid is not complete',
    { purchases: [[sale('CheckoutRetrieved', day(0), { pro_once: 1 }, { status: 'open' })]] },
    nothing,
  ],
  [
    'a session that expired',
    { purchases: [[sale('CheckoutExpired', day(1), { pro_once: 1 }, { paymentStatus: 'unpaid' })]] },
    nothing,
  ],
  [
    'a session of another mode is no purchase',
    { purchases: [[sale('CheckoutCompleted', day(0), { pro_once: 1 }, { mode: 'subscription' })]] },
    nothing,
  ],
  ['a session of which nobody knows what it sold', { purchases: [[unlisted]] }, nothing],
  ['what Tenure started it to sell tells', { purchases: [[unlisted, started('pro_once', 1, day(0))]] }, pro],
  [
    'its line items outrank that',
    { purchases: [[unlisted, started('team_once', 1, day(0)), listed({ pro_once: 1 })]] },
    pro,
  ],
  [
    'line items that sell something else',
    { purchases: [[unlisted, started('pro_once', 1, day(0)), listed({ mug: 1 })]] },
    nothing,
  ],
  [
    'a price that is billed monthly is not bought for good',
    { purchases: [[unlisted, listed({ pro_m: 1 })]] },
    nothing,
  ],
  [
    'perUnit times the quantity',
    { purchases: [[unlisted, listed({ team_once: 7 })]] },
    { plan: 'team', status: 'active', members: 700, source: cs(1) },
  ],
  [
    'perUnit times what Tenure started it to sell',
    { purchases: [[unlisted, started('team_once', 3, day(0))]] },
    { plan: 'team', status: 'active', members: 300, source: cs(1) },
  ],
  [
    'a quantity that is not known is 1',
    { purchases: [[unlisted, started('team_once', null, day(0))]] },
    { plan: 'team', status: 'active', members: 100, source: cs(1) },
  ],
  [
    'two plans in one session',
    { purchases: [[unlisted, listed({ team_once: 60, pro_once: 1 })]] },
    { ...pro, members: 6000 },
  ],
  ['two sessions of one plan: the smaller id', { purchases: [[bought], [bought]] }, pro],

  ['a full refund takes it back', { purchases: [[bought, refunded(1000, day(2))]] }, gone],
  [
    'a full refund takes it back under fullRefund: keep, too',
    { purchases: [[bought, refunded(1000, day(2))]], policy: { fullRefund: 'keep' } },
    gone,
  ],
  [
    'a full refund takes it back under fullRefund: suspend',
    { purchases: [[bought, refunded(1000, day(2))]], policy: { fullRefund: 'suspend' } },
    gone,
  ],
  ['a part that is refunded takes nothing', { purchases: [[bought, refunded(999, day(2))]] }, pro],
  [
    'a full refund that failed takes nothing',
    { purchases: [[bought, refunded(1000, day(2)), refundFailed('re_1', 1000, day(3))]] },
    pro,
  ],
  ['a dispute takes it back', { purchases: [[bought, charge('needs_response')]] }, gone],
  [
    'a dispute that was lost',
    { purchases: [[bought, charge('needs_response'), dispute('closed', 'lost', day(9))]] },
    gone,
  ],
  [
    'a dispute that was won gives it again',
    { purchases: [[bought, charge('needs_response'), dispute('closed', 'won', day(9))]] },
    pro,
  ],
  ['an inquiry takes nothing', { purchases: [[bought, charge('warning_needs_response')]] }, pro],
  [
    'a dispute under keep takes nothing',
    { purchases: [[bought, charge('needs_response')]], policy: { dispute: 'keep' } },
    pro,
  ],
  [
    'a dispute of a part of what the session paid takes nothing',
    { purchases: [[bought, charge('needs_response', 899)]] },
    pro,
  ],
  [
    'a dispute of nine tenths of what the session paid',
    { purchases: [[bought, charge('needs_response', 900)]] },
    gone,
  ],
  [
    'a dispute of a part where nobody knows what was paid',
    {
      purchases: [
        [
          sale('CheckoutCompleted', day(0), { pro_once: 1 }, { amountTotal: null }),
          charge('needs_response', 10),
        ],
      ],
    },
    gone,
  ],
  [
    'a refund of another payment takes nothing',
    { purchases: [[bought, refunded(1000, day(2), { paymentIntent: 'pi_9', charge: 'ch_9' })]] },
    pro,
  ],
  [
    'of two purchases one is taken back',
    {
      purchases: [
        [bought, refunded(1000, day(2))],
        [sale('CheckoutCompleted', day(0), { team_once: 2 }, { paymentIntent: 'pi_2' })],
      ],
    },
    { plan: 'team', status: 'active', members: 200, source: cs(2) },
  ],

  ['a purchase of higher rank than a subscription', { purchases: [[bought]], subscription: plusMonth }, pro],
  [
    'a purchase of lower rank than a subscription: its limits count',
    { purchases: [[unlisted, listed({ team_once: 60 })]], subscription: proMonth },
    {
      plan: 'pro',
      status: 'active',
      members: 6000,
      source: { type: 'subscription', subscriptionId: 'sub_1', customerId: 'cus_1' },
    },
  ],
  [
    'of equal ranks a purchase, which never ends, counts',
    { purchases: [[bought]], subscription: proMonth },
    pro,
  ],
  ['a purchase outlasts a subscription', { purchases: [[bought]], subscription: canceled }, pro],
  [
    'a purchase that was taken back after a subscription ended: the word of the one seen last',
    { purchases: [[bought, refunded(1000, day(2))]], subscription: canceled },
    { ...gone, status: 'canceled' },
  ],
  [
    'a purchase seen after a subscription ended, and taken back',
    {
      purchases: [[bought, sale('CheckoutRetrieved', day(9), { pro_once: 1 }), refunded(1000, day(2))]],
      subscription: canceled,
    },
    gone,
  ],
];

describe('A plan that was bought once', () => {
  it.each(table)(
    'is judged by its facts in the case: %s',
    (_, { purchases, subscription: story, policy }, then) => {
      const catalog = storyCatalog(policy ?? {});
      const facts = (shuffle: <T>(list: readonly T[]) => readonly T[]) => ({
        subscriptions: story === undefined ? [] : [subscription(shuffle(story))],
        purchases: shuffle(purchases.map((each, n) => purchase(shuffle(each), `cs_${n + 1}`))),
      });
      const judged = judge(
        facts((list) => list),
        catalog,
        at(day(10)),
      );
      const { plan, status, limits, source, subscriptionActive, expiresAt, validUntil } = judged.entitlement;
      expect({ plan, status, members: limits.members, source }).toEqual({ members: 50, ...then });
      if (source?.type === 'purchase') {
        expect({ subscriptionActive, expiresAt, validUntil }).toEqual({
          subscriptionActive: story !== undefined && story !== canceled,
          expiresAt: null,
          validUntil: null,
        });
      }
      const backwards = judge(
        facts((list) => [...list].reverse()),
        catalog,
        at(day(10)),
      );
      expect(backwards).toEqual(judged);
      fc.assert(
        fc.property(fc.nat(), (turn) => {
          const turned = <T>(list: readonly T[]) => [
            ...list.slice(turn % (list.length || 1)),
            ...list.slice(0, turn % (list.length || 1)),
          ];
          expect(judge(facts(turned), catalog, at(day(10)))).toEqual(judged);
        }),
        { numRuns: 5 },
      );
    },
  );
});
