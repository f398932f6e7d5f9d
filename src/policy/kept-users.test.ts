import {
  checkoutFact,
  DAWN,
  DAY,
  invoiceFact,
  item,
  line,
  observation,
  previousAttributes,
  subscriptionState,
} from '../../test/support/lives.facts.js';
import { dispute } from '../../test/support/policy-stories.js';
import { type PlanCatalog, planCatalogSchema } from '../events/catalog.events.js';
import type { SubscriptionItem, SubscriptionObservationData } from '../events/subscription.events.js';
import type {
  CheckoutObservation,
  InvoiceObservation,
  Observation,
  PaymentObservation,
  SubscriptionFacts,
} from './facts.js';
import { type GrowingList, growingList } from './growing-list.js';
import { judge, keptJudgementBytes } from './judge.js';

const catalogOf = (members: number, policy: object = {}): PlanCatalog =>
  planCatalogSchema.parse({
    default: 'free',
    plans: {
      free: { rank: 0, role: 'free' },
      plus: {
        rank: 1,
        role: 'paid',
        limits: { members },
        perUnit: { units: 1 },
        prices: { monthly: 'plus_m' },
      },
      pro: { rank: 2, role: 'paid', prices: { monthly: 'pro_m' } },
    },
    addons: { seats: { prices: ['seat_m'], limits: { seats: 1 } } },
    policy,
  });
const CATALOG = catalogOf(5, { delayedPayment: 'onPaid', sendInvoice: 'onPaid', dispute: 'suspend' });
const NOW = (DAWN + 10 * DAY) * 1000;

const held = (price: string, quantity = 1, end = DAWN + 30 * DAY): SubscriptionItem =>
  item(
    {
      price,
      lookupKey: null,
      product: 'prod_1',
      unitAmount: '1000',
      usageType: 'licensed',
      billingScheme: 'per_unit',
    },
    quantity,
    DAWN,
    end,
  );

/** A subscription in lists that grow. */
interface Growing extends SubscriptionFacts {
  readonly observations: GrowingList<Observation>;
  readonly invoices: GrowingList<InvoiceObservation>;
  readonly checkouts: CheckoutObservation[];
  readonly payments: GrowingList<PaymentObservation>;
  customerDeleted: boolean;
}

class UserUnderTest {
  subscriptions: Growing[] = [];
  #told = 0;

  /** Sees the nth subscription, after what was seen of it before. */
  see(nth: number, changes: Partial<SubscriptionObservationData>, second = DAWN + this.#told): void {
    this.#told += 1;
    const { subscription, observations } = this.#own(nth);
    const type = `customer.subscription.${observations.length === 0 ? 'created' : 'updated'}`;
    const state = subscriptionState(subscription, { items: [held('plus_m')], ...changes });
    observations.push(observation(`evt_${this.#told}`, type, second, state));
  }

  /** Tells of an invoice of the nth subscription, by which `price` is paid for until `end`. */
  pay(nth: number, price: string, end: number, quantity = 1): void {
    this.#told += 1;
    const created = DAWN + this.#told;
    const { subscription, invoices } = this.#own(nth);
    const lines = [line(price, 1000, created, end, { quantity })];
    const data = { invoice: `in_${this.#told}`, subscription, status: 'paid' as const, created, lines };
    invoices.push(invoiceFact(`evt_${this.#told}`, 'invoice.paid', created, data));
  }

  /** Tells that what paid for the invoice told last of the nth subscription is disputed. */
  dispute(nth: number): void {
    const { invoices, payments } = this.#own(nth);
    const invoice = invoices.at(-1)?.data.invoice ?? null;
    payments.push(dispute('created', 'needs_response', DAWN + this.#told, {}, { invoice }).fact);
  }

  /** Tells of a checkout of the nth subscription, in the place of what was told of one. */
  checkOut(nth: number, paymentStatus: string): void {
    this.#told += 1;
    const { subscription, checkouts } = this.#own(nth);
    const id = `evt_${this.#told}`;
    checkouts.splice(0, 1, checkoutFact(id, 'CheckoutCompleted', DAWN, subscription, paymentStatus));
  }

  #own(nth: number): Growing {
    const known = this.subscriptions[nth];
    if (known !== undefined) return known;
    const subscription = `sub_${nth}`;
    const lists = {
      observations: growingList<Observation>([]),
      invoices: growingList<InvoiceObservation>([]),
      payments: growingList<PaymentObservation>([]),
    };
    const own = { subscription, ...lists, checkouts: [], customerDeleted: false };
    this.subscriptions[nth] = own;
    return own;
  }
}

const anew = ({ subscriptions }: UserUnderTest) => ({
  subscriptions: subscriptions.map((each) => ({
    ...each,
    observations: [...each.observations],
    invoices: [...each.invoices],
    payments: [...each.payments],
  })),
});

/** What was seen of the first subscription, and later; of nine others, which gave nothing; and what else was told. */
interface Past {
  readonly told?: (user: UserUnderTest) => void;
  readonly first?: Partial<SubscriptionObservationData>;
  readonly later?: Partial<SubscriptionObservationData>;
  readonly others?: Partial<SubscriptionObservationData>;
}

const paused = { status: 'paused' };
const trialing = { status: 'trialing', trialEnd: DAWN + 20 * DAY };
const unpaid = { status: 'incomplete', collectionMethod: 'send_invoice' };
const overdue = { status: 'past_due' };
const cases: readonly (readonly [string, Past, (user: UserUnderTest) => void])[] = [
  ['the plan that it gives', {}, (user) => user.see(0, { items: [held('pro_m')], status: 'trialing' })],
  ['the units of its plan', {}, (user) => user.see(0, { items: [held('plus_m', 3)] })],
  ['the end of its period', {}, (user) => user.see(0, { items: [held('plus_m', 1, DAWN + 60 * DAY)] })],
  [
    'the units of its add-on',
    { first: { items: [held('plus_m'), held('seat_m')] } },
    (user) => user.see(0, { items: [held('plus_m'), held('seat_m', 3)] }),
  ],
  ['its status', {}, (user) => user.see(0, overdue)],
  [
    'when its trial ends',
    { first: trialing },
    (user) => user.see(0, { ...trialing, trialEnd: DAWN + 25 * DAY }),
  ],
  ['that it ends, and when', {}, (user) => user.see(0, { cancelAt: DAWN + 30 * DAY })],
  [
    'when it ends under a test clock, by which no time of ours passes',
    { first: { testClock: 'clock_1' } },
    (user) => user.see(0, { testClock: 'clock_1', cancelAt: DAWN + 30 * DAY }),
  ],
  ['its customer', {}, (user) => user.see(0, { customer: 'cus_2' })],
  [
    'the plan that it waits for',
    {},
    (user) => user.see(0, { pendingUpdate: { items: [held('pro_m')], expiresAt: null } }),
  ],
  [
    'a price of no plan',
    { first: { items: [held('plus_m'), { ...held('odd'), product: null }] } },
    (user) => user.see(0, { items: [held('plus_m'), { ...held('odder'), product: null }] }),
  ],
  [
    'a price that counts as its plan’s',
    {},
    (user) =>
      user.see(0, {
        items: [held('plus_new')],
        previous: previousAttributes({ items: [held('plus_m')] }, {}),
      }),
  ],
  [
    'what was paid for and stays after grace',
    { first: overdue },
    (user) => user.pay(0, 'plus_m', DAWN + 90 * DAY),
  ],
  [
    'that its customer is gone',
    {},
    (user) => {
      for (const each of user.subscriptions.slice(0, 1)) each.customerDeleted = true;
    },
  ],
  ['that its checkout was not paid', {}, (user) => user.checkOut(0, 'unpaid')],
  [
    'that its checkout is another, which was not paid',
    { told: (user) => user.checkOut(0, 'paid') },
    (user) => user.checkOut(0, 'unpaid'),
  ],
  [
    'that what paid for it is disputed',
    { told: (user) => user.pay(0, 'plus_m', DAWN + 90 * DAY) },
    (user) => user.dispute(0),
  ],
  [
    'that it is over, by which its price of no plan is nobody’s',
    { first: { ...unpaid, items: [{ ...held('odd'), product: null }] } },
    (user) => user.see(0, { status: 'incomplete_expired', items: [{ ...held('odd'), product: null }] }),
  ],
  [
    'that its first invoice was paid, while the plan that it waits for is the same',
    { first: unpaid, later: { ...unpaid, items: [held('pro_m')] } },
    (user) => user.pay(0, 'plus_m', DAWN + 30 * DAY),
  ],
  [
    'which says last why there is nothing',
    { first: paused, others: { status: 'unpaid' } },
    (user) => user.see(0, paused, DAWN + DAY),
  ],
  [
    'which will say last why there is nothing',
    { first: { ...overdue, cancelAt: DAWN + 20 * DAY }, others: { status: 'paused' } },
    (user) => user.see(0, { ...overdue, cancelAt: DAWN + 20 * DAY }, DAWN + DAY),
  ],
];

function userOf({ first = {}, later, others = paused, told }: Past): UserUnderTest {
  const user = new UserUnderTest();
  for (let nth = 0; nth < 10; nth += 1) user.see(nth, nth === 0 ? first : others);
  if (later !== undefined) user.see(0, later);
  told?.(user);
  return user;
}

describe('A user of ten subscriptions who was judged before', () => {
  it.each(cases)('is judged anew when one of them says of another %s', (_, past, told) => {
    const user = userOf(past);
    const before = judge(user, CATALOG, NOW);
    expect(before).toEqual(judge(anew(user), CATALOG, NOW));
    told(user);
    const after = judge(user, CATALOG, NOW);
    expect(after).toEqual(judge(anew(user), CATALOG, NOW));
    expect(after).not.toEqual(before);
  });

  it('is the same where nothing is told that anything hangs on', () => {
    const user = userOf({ first: trialing });
    const before = judge(user, CATALOG, NOW);
    user.see(0, { ...trialing, cancellationReason: 'none of ours' });
    expect(judge(user, CATALOG, NOW + 1)).toBe(before);
  });

  it.each<[string, Past, number, number]>([
    ['a trial has ended', { first: trialing }, NOW, (DAWN + 22 * DAY) * 1000],
    ['the clock was set back', { first: trialing }, (DAWN + 22 * DAY) * 1000, NOW],
  ])('is judged by the clock: %s', (_, past, earlier, later) => {
    const user = userOf(past);
    const before = judge(user, CATALOG, earlier);
    const after = judge(user, CATALOG, later);
    expect(after).toEqual(judge(anew(user), CATALOG, later));
    expect(after).not.toEqual(before);
  });

  it('is judged anew where what stays after grace is another at the same instants', () => {
    const user = userOf({
      first: { ...overdue, items: [held('plus_m', 3)] },
      others: { status: 'incomplete' },
    });
    user.pay(0, 'plus_m', DAWN + 90 * DAY);
    const before = judge(user, CATALOG, (DAWN + DAY) * 1000);
    user.pay(0, 'plus_m', DAWN + 90 * DAY, 2);
    const after = judge(user, CATALOG, (DAWN + DAY) * 1000);
    expect(after).toEqual(judge(anew(user), CATALOG, (DAWN + DAY) * 1000));
    expect(after).not.toEqual(before);
  });

  it('is judged by the catalogue that is in force', () => {
    const user = userOf({});
    judge(user, CATALOG, NOW);
    expect(judge(user, catalogOf(7), NOW).entitlement.limits).toEqual({ members: 7, units: 1 });
  });

  it('has nothing of a subscription that went, the last one or another, and all of one that came in its place', () => {
    const user = userOf({});
    user.see(9, { items: [held('pro_m')], status: 'trialing', trialEnd: DAWN + 50 * DAY });
    expect(judge(user, CATALOG, NOW).entitlement.plan).toBe('pro');
    const [last] = user.subscriptions.splice(9, 1);
    if (last === undefined) throw new Error('no last subscription');
    expect(judge(user, CATALOG, NOW).entitlement.plan).toBe('plus');
    user.subscriptions[0] = last;
    expect(judge(user, CATALOG, NOW)).toEqual(judge(anew(user), CATALOG, NOW));
    user.subscriptions[0] = {
      ...last,
      subscription: 'sub_x',
      observations: growingList([...last.observations]),
    };
    expect(judge(user, CATALOG, NOW).entitlement.source).toMatchObject({ subscriptionId: 'sub_x' });
  });

  it('takes no more memory for how he was judged once only a few subscriptions are his', () => {
    const user = userOf({});
    judge(user, CATALOG, NOW);
    expect(keptJudgementBytes(user)).toBeGreaterThan(0);
    user.subscriptions.splice(2);
    judge(user, CATALOG, NOW);
    expect(keptJudgementBytes(user)).toBe(0);
  });

  it('has one more subscription as soon as it is seen, though its invoice was told before', () => {
    const user = userOf({ first: paused });
    user.pay(10, 'pro_m', DAWN + 30 * DAY);
    expect(judge(user, CATALOG, NOW).entitlement.plan).toBe('free');
    user.see(10, { items: [held('pro_m')] });
    expect(judge(user, CATALOG, NOW)).toEqual(judge(anew(user), CATALOG, NOW));
    expect(judge(user, CATALOG, NOW).entitlement.plan).toBe('pro');
  });

  it('is judged by time again and again, with what it looked ahead to left as it is', () => {
    const both = { ...trialing, items: [held('plus_m'), held('seat_m', 2)] };
    const user = userOf({ first: trialing, others: both });
    user.see(9, { status: 'unpaid', items: [held('seat_m')] });
    user.see(6, { ...both, items: [held('plus_m', 1, DAWN + 60 * DAY), held('seat_m', 2)] });
    for (const units of [2, 5, 3]) {
      user.see(3, { ...both, items: [held('plus_m', units), held('seat_m', units)] });
      expect(judge(user, CATALOG, NOW)).toEqual(judge(anew(user), CATALOG, NOW));
    }
    const later = (DAWN + 22 * DAY) * 1000;
    expect(judge(user, CATALOG, later)).toEqual(judge(anew(user), CATALOG, later));
  });

  it('is judged from scratch after a judgement that failed half-way', () => {
    const user = userOf({});
    judge(user, CATALOG, NOW);
    user.see(0, { items: [held('plus_m', 4)] });
    user.see(1, paused, DAWN);
    let fails = true;
    const [, second] = user.subscriptions;
    const broken = second?.observations.at(-1);
    if (broken === undefined) throw new Error('no observation');
    const { data } = broken;
    Object.defineProperty(broken, 'data', {
      get: () => {
        if (fails) throw new Error('cannot be judged');
        return data;
      },
    });
    expect(() => judge(user, CATALOG, NOW)).toThrow('cannot be judged');
    fails = false;
    expect(judge(user, CATALOG, NOW).entitlement.limits).toEqual({ members: 5, units: 4 });
  });
});
