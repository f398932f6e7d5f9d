import {
  at,
  day,
  entitledBy,
  invoice,
  item,
  line,
  type SubscriptionStory,
  seen,
  storyCatalog,
  subscription,
} from '../../test/support/policy-stories.js';
import { judge } from './judge.js';

const seats = { ...item('seat_m'), quantity: 3 };
const bought: SubscriptionStory = [
  seen('created', day(0), { items: [item('plus_m'), seats] }),
  invoice('paid', day(0), {
    lines: [line('plus_m', 1000, day(0), day(30)), line('seat_m', 300, day(0), day(30))],
  }),
];
const planLine = line('plus_m', 1000, day(30), day(60));
const seatLine = { ...line('seat_m', 300, day(30), day(60)), quantity: 3 };
const writtenOff = (more = {}) =>
  invoice('uncollectible', day(40), {
    id: 'in_2',
    created: day(30),
    attemptCount: 4,
    lines: [planLine],
    ...more,
  });
const paused = seen('updated', day(35), {
  items: [item('plus_m'), seats],
  pauseCollection: { behavior: 'mark_uncollectible', resumesAt: null },
  previous: { pauseCollection: null },
});

describe('an invoice marked uncollectible', () => {
  it.each<[string, SubscriptionStory, boolean]>([
    [
      'for too many attempts is written off',
      [writtenOff({ uncollectibleReason: 'max_payment_attempts', attemptCount: 0 })],
      true,
    ],
    [
      'for a payment not received is written off',
      [writtenOff({ uncollectibleReason: 'payment_not_received', attemptCount: 0 })],
      true,
    ],
    ['for another reason is not', [writtenOff({ uncollectibleReason: 'requested_by_merchant' })], false],
    ['without a reason, attempted, is', [writtenOff()], true],
    ['without a reason, never attempted, is not', [writtenOff({ attemptCount: 0 })], false],
    ['without a reason, while collection was paused, is not', [paused, writtenOff()], false],
    ['of an update is not', [writtenOff({ billingReason: 'subscription_update' })], false],
    [
      'and voided later is not',
      [writtenOff(), invoice('voided', day(41), { id: 'in_2', created: day(30), lines: [planLine] })],
      false,
    ],
    [
      'and paid later is not',
      [writtenOff(), invoice('paid', day(41), { id: 'in_2', created: day(30), lines: [planLine] })],
      false,
    ],
  ])('%s', (_, story, lost) => {
    expect(entitledBy([[...bought, ...story]], day(42))).toMatchObject(
      lost ? { plan: 'free', status: 'unpaid' } : { plan: 'plus', status: 'active' },
    );
  });
});

describe('An invoice that is written off loses what it asked for', () => {
  it.each<[string, object, { plan: string; limits: object }]>([
    ['the plan alone', { lines: [planLine] }, { plan: 'free', limits: { members: 80 } }],
    ['an add-on alone', { lines: [seatLine] }, { plan: 'plus', limits: { members: 500 } }],
    ['both', { lines: [planLine, seatLine] }, { plan: 'free', limits: { members: 50 } }],
    [
      'the plan, where lines were cut',
      { lines: [seatLine], linesTruncated: true },
      { plan: 'free', limits: { members: 50 } },
    ],
    [
      'nothing that a line of 0 or less asks for',
      {
        lines: [
          { ...planLine, amount: 0, subtotal: 0 },
          { ...seatLine, subtotal: -1 },
        ],
      },
      { plan: 'plus', limits: { members: 530 } },
    ],
  ])('in the case: %s', (_, more, expected) => {
    expect(entitledBy([[...bought, writtenOff(more)]], day(42))).toMatchObject(expected);
  });

  it('and is not what a subscription says that still gives a plan, even one below the default', () => {
    const { plans, ...rest } = storyCatalog();
    const low = Object.fromEntries(
      Object.entries(plans).map(([name, plan]) => [name, name === 'plus' ? { ...plan, rank: -1 } : plan]),
    );
    const catalog = { ...rest, plans: low };
    const facts = { subscriptions: [subscription([...bought, writtenOff({ lines: [seatLine] })])] };
    expect(judge(facts, catalog, at(day(42))).entitlement).toMatchObject({
      plan: 'free',
      status: 'past_due',
      subscriptionActive: true,
    });
  });

  it('but for what a line that paid covers now', () => {
    const story = [
      ...bought,
      invoice('paid', day(1), {
        id: 'in_y',
        lines: [
          line('plus_y', 9000, day(0), day(365)),
          { ...line('seat_m', 1, day(0), day(365)), quantity: 2 },
        ],
      }),
      writtenOff({ lines: [planLine, seatLine] }),
    ];
    expect(entitledBy([story], day(42))).toMatchObject({
      plan: 'plus',
      status: 'past_due',
      limits: { members: 520 },
      expiresAt: new Date(day(365) * 1000).toISOString(),
      validUntil: new Date(day(365) * 1000).toISOString(),
    });
  });

  it.each<[string, object, { plan: string; limits: object }]>([
    [
      'with a line of the plan: the plan is back',
      { lines: [line('plus_m', 1000, day(60), day(90))] },
      { plan: 'plus', limits: { members: 500 } },
    ],
    [
      'with a line of a higher plan: the plan is back',
      { lines: [line('pro_m', 1000, day(60), day(90))] },
      { plan: 'plus', limits: { members: 500 } },
    ],
    [
      'with a line of the add-on: the add-on is back',
      { lines: [line('seat_y', 300, day(60), day(90))] },
      { plan: 'free', limits: { members: 80 } },
    ],
    [
      'with lines that pay for neither: nothing is',
      { lines: [line('odd', 1000, day(60), day(90))] },
      { plan: 'free', limits: { members: 50 } },
    ],
    [
      'but created before it: nothing is',
      { created: day(30), lines: [line('plus_m', 1000, day(30), day(60))] },
      { plan: 'free', limits: { members: 50 } },
    ],
  ])('until a later invoice is paid %s', (_, more, expected) => {
    const story = [
      ...bought,
      writtenOff({ lines: [planLine, seatLine] }),
      invoice('paid', day(60), { id: 'in_3', ...more }),
    ];
    expect(entitledBy([story], day(61))).toMatchObject(expected);
  });
});
