import {
  at,
  day,
  invoice,
  item,
  line,
  type SubscriptionStory,
  seen,
  storyCatalog,
  subscription,
} from '../../../test/support/policy-stories.js';
import { judge } from '../judge.js';
import { explain } from './explain.js';

type Sight = ReturnType<typeof seen>;

/** A life of one subscription, without `decisive` another one at `when`: plan, or status, are others then. */
interface Case {
  readonly given: SubscriptionStory;
  readonly decisive: Sight;
  readonly when: number;
  readonly policy?: Record<string, unknown>;
}

const plus = item('plus_m');
const pro = item('pro_m');
const seats = item('seat_m');
const plusUntil = (end: number) => ({ ...plus, currentPeriodEnd: end });
const sight = (second: number, items: ReturnType<typeof item>[], more = {}) =>
  seen('updated', second, { items, ...more });
const bought = (items: ReturnType<typeof item>[], more = {}) => seen('created', day(0), { items, ...more });
const inTrial = (end: number) => ({ status: 'trialing', trialEnd: end });
const byInvoice = { collectionMethod: 'send_invoice' };
const paidFor = (price: string, second: number, end: number) =>
  invoice('paid', second, { lines: [line(price, 1000, second, end)] });
/** Asks for nothing, by a coupon: it pays unless it was created in a trial. */
const paidByCoupon = (second: number, end: number) =>
  invoice('paid', second, { lines: [{ ...line('plus_m', 0, second, end), reduced: true }] });
const unpaid = { status: 'unpaid' };

const trialOver = sight(day(2), [plus]);
const trialAgain = sight(day(8), [plus], inTrial(day(14)));
const nextMonth = sight(day(30), [plusUntil(day(60))]);
const yearly = { ...item('plus_y'), currentPeriodEnd: day(10) };
const onceYearly = sight(day(0) + 60, [yearly]);
const planBetween = sight(day(3), [plus]);
const noPlanBetween = sight(day(6), [], {
  previous: { items: [pro] },
  pendingUpdate: { expiresAt: null, items: [pro] },
});
const cut = { itemsTruncated: true };
const longer = sight(day(5), [plusUntil(day(365))], cut);

const CASES: readonly (readonly [string, Case])[] = [
  [
    'by which an invoice that a coupon paid was not created in a trial: grace is of one who paid',
    {
      given: [
        bought([plus], inTrial(day(14))),
        trialOver,
        paidByCoupon(day(3), day(30)),
        sight(day(10), [plus]),
        sight(day(30), [plus], { status: 'past_due' }),
      ],
      decisive: trialOver,
      when: day(31),
      policy: { trialGraceDays: 0 },
    },
  ],
  [
    'by which an invoice that a coupon paid was created in a trial: what it is for is not paid',
    {
      given: [
        bought([plus], inTrial(day(6))),
        sight(day(6), [plus]),
        trialAgain,
        paidByCoupon(day(9), day(60)),
        sight(day(14), [plus]),
        sight(day(30), [plus], unpaid),
      ],
      decisive: trialAgain,
      when: day(31),
    },
  ],
  [
    'that shows which period an invoice paid for whose lines were cut: it is over',
    {
      given: [
        bought([plus]),
        nextMonth,
        invoice('paid', day(30), { linesTruncated: true }),
        sight(day(61), [plusUntil(day(90))], unpaid),
      ],
      decisive: nextMonth,
      when: day(70),
    },
  ],
  [
    'that shows what was on the subscription when an invoice was created whose lines were cut: another price',
    {
      given: [
        bought([plusUntil(day(60))]),
        onceYearly,
        invoice('paid', day(0) + 90, { linesTruncated: true, billingReason: 'subscription_create' }),
        sight(day(1), [plusUntil(day(60))]),
        sight(day(2), [yearly]),
        sight(day(3), [plusUntil(day(60))]),
        sight(day(30), [plusUntil(day(60))], unpaid),
      ],
      decisive: onceYearly,
      when: day(31),
      policy: { requirePaymentForUpgrade: false },
    },
  ],
  [
    'of the plan between two stretches without one, of which the first waits: what was paid for does not stay',
    {
      given: [
        bought([seats], byInvoice),
        planBetween,
        paidFor('plus_m', day(3), day(30)),
        sight(day(6), [seats]),
        sight(day(9), [seats], unpaid),
      ],
      decisive: planBetween,
      when: day(12),
    },
  ],
  [
    'of the plan that ended a first stretch without one: the add-on of a later stretch does not make that wait',
    {
      given: [
        bought([item('key_card')], byInvoice),
        planBetween,
        sight(day(6), [seats]),
        sight(day(9), [pro]),
      ],
      decisive: planBetween,
      when: day(12),
      policy: { upgradeWithoutInvoice: 'allow' },
    },
  ],
  [
    'between two stretches of a plan, of which an invoice asks money for the first alone',
    {
      given: [
        bought([plus]),
        sight(day(3), [pro]),
        invoice('open', day(3), { billingReason: 'subscription_update' }),
        noPlanBetween,
        sight(day(9), [pro]),
      ],
      decisive: noPlanBetween,
      when: day(12),
      policy: { upgradeWithoutInvoice: 'allow' },
    },
  ],
];

function asked(policy: Record<string, unknown>, ...stories: readonly SubscriptionStory[]) {
  const subscriptions = stories.map((story, n) => ({ ...subscription(story), subscription: `sub_${n + 1}` }));
  return { facts: { subscriptions }, catalog: storyCatalog(policy) };
}

function reasonsOf({ facts, catalog }: ReturnType<typeof asked>, when: number) {
  return explain({ ...facts, deletedBy: new Map(), things: () => [] }, catalog, at(when)).reasons;
}

describe('The reasons of plan and status', () => {
  it.each(CASES)('name the event %s', (_, { given, decisive, when, policy = {} }) => {
    const judged = (story: SubscriptionStory) => {
      const { facts, catalog } = asked(policy, story);
      const { plan, status } = judge(facts, catalog, at(when)).entitlement;
      return { plan, status };
    };
    expect(judged(given.filter((told) => told !== decisive))).not.toEqual(judged(given));
    const reasons = reasonsOf(asked(policy, given), when);
    const named = reasons.filter(({ of }) => of === 'plan' || of === 'status').map(({ events }) => events);
    expect(named).toEqual([
      expect.arrayContaining([decisive.fact.eventId]),
      expect.arrayContaining([decisive.fact.eventId]),
    ]);
  });

  it('name the events that show the ends by which one of two alike gives the plan', () => {
    const lasting: SubscriptionStory = [bought([plus]), longer, sight(day(8), [seats], cut)];
    const reasons = reasonsOf(asked({}, [bought([plus])], lasting), day(9));
    const reason = reasons.find(({ of }) => of === 'plan');
    expect(reason).toMatchObject({ code: 'later_end', facts: { plan: 'plus', source: 'sub_2' } });
    expect(reason?.events).toContain(longer.fact.eventId);
  });
});
