import { oracleJudge } from '../../test/support/oracle/judge.js';
import {
  at,
  attached,
  day,
  dispute,
  disputeShown,
  invoice,
  item,
  line,
  refunded,
  refundFailed,
  type SubscriptionStory,
  seen,
  storyCatalog,
  subscription,
  type Told,
} from '../../test/support/policy-stories.js';
import type { PlanCatalog } from '../events/catalog.events.js';
import type { Judgement } from './entitlement.js';
import type { InvoiceObservation, Observation, PaymentObservation } from './facts.js';
import { growingList } from './growing-list.js';
import { judge } from './judge.js';
import { explain } from './reasons/explain.js';
import type { ReasonCode } from './reasons/rules.js';

const plus = item('plus_m');
const pro = item('pro_m');
const BALANCE = { total: 1000, amountDue: 400 };

const bought = (more = {}): SubscriptionStory => [
  seen('created', day(0), { items: [plus] }),
  invoice('paid', day(0), {
    id: 'in_1',
    billingReason: 'subscription_create',
    lines: [line('plus_m', 1000, day(0), day(30))],
    ...more,
  }),
];
/** The same as API versions before 2025-03-31 tell it: the invoice names its payment. */
const boughtBefore = (more = {}): SubscriptionStory =>
  bought({ paymentIntent: 'pi_1', charge: 'ch_1', ...more });
const upgraded = (): SubscriptionStory => [
  seen('updated', day(3), { items: [pro], previous: { items: [plus] } }),
  invoice('paid', day(3), {
    id: 'in_2',
    billingReason: 'subscription_update',
    lines: [line('plus_m', -900, day(3), day(30)), line('pro_m', 2700, day(3), day(30))],
  }),
];
const month = (nth: number, id: string): Told =>
  invoice('paid', day(30 * nth), {
    id,
    billingReason: 'subscription_cycle',
    lines: [line('plus_m', 1000, day(30 * nth), day(30 * nth + 30))],
  });
const P2 = { paymentIntent: 'pi_2', charge: 'ch_2' };
const P2_INTENT = { paymentIntent: 'pi_2', charge: null };
const P2_CHARGE = { paymentIntent: null, charge: 'ch_2' };

/** What is told, when it is asked, what then holds under each policy, and by which rule. */
interface Case {
  readonly told: SubscriptionStory;
  readonly when: number;
  /** Plan and status under `dispute: suspend`, `fullRefund: keep`; under `dispute: keep`, `fullRefund: suspend`; and the rule of the former, else of the latter. */
  readonly byDispute: readonly [plan: string, status: string];
  readonly byRefund: readonly [plan: string, status: string];
  readonly rule: ReasonCode;
}

const HAS = (plan: string) => [plan, 'active'] as const;
const GONE = ['free', 'unpaid'] as const;

const CASES: Readonly<Record<string, Case>> = {
  'the only payment is disputed': {
    told: [...bought(), attached('in_1', day(0)), dispute('created', 'needs_response', day(2))],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'the only payment is disputed, told of as before 2025-03-31': {
    told: [...boughtBefore(), dispute('created', 'needs_response', day(2), { paymentIntent: null })],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a charge of before 2025-03-31 names its invoice, and nothing else does': {
    told: [...bought(), dispute('created', 'lost', day(2), {}, { invoice: 'in_1' })],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'an inquiry asks': {
    told: [...bought(), attached('in_1', day(0)), dispute('created', 'warning_needs_response', day(2))],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'an inquiry became a dispute': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'warning_needs_response', day(2)),
      dispute('updated', 'needs_response', day(3)),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a dispute was won': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'needs_response', day(2)),
      dispute('updated', 'under_review', day(3)),
      dispute('closed', 'won', day(4)),
    ],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a dispute was lost, and won on the day after': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'needs_response', day(2)),
      dispute('closed', 'lost', day(3)),
      dispute('closed', 'won', day(4)),
    ],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a lost dispute is appealed': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('closed', 'lost', day(3)),
      dispute('updated', 'appeal_under_review', day(4)),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a dispute is in a state that nobody knows, after one that takes': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'needs_response', day(2)),
      dispute('updated', 'arbitrated', day(3)),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a dispute opened and closed within a second': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('closed', 'won', day(2)),
      dispute('created', 'needs_response', day(2)),
    ],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a claim was blocked': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'prevented', day(2), {}, { caseType: 'block' }),
    ],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a claim was resolved by giving the money back': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'prevented', day(2), {}, { caseType: 'resolution' }),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'less than nine tenths are disputed': {
    told: [...bought(), attached('in_1', day(0)), dispute('created', 'lost', day(2), {}, { amount: 899 })],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'nine tenths are disputed': {
    told: [...bought(), attached('in_1', day(0)), dispute('created', 'lost', day(2), {}, { amount: 900 })],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'what is disputed and what was refunded are nine tenths together': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      refunded(400, day(1)),
      dispute('created', 'lost', day(2), {}, { amount: 500 }),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a part is disputed, and the refund of another failed': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      refunded(400, day(1)),
      dispute('created', 'lost', day(2), {}, { amount: 500 }),
      refundFailed('re_1', 400, day(3)),
    ],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a part is disputed in another currency, so that nobody knows how much it is': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'lost', day(2), {}, { amount: 100, currency: 'eur' }),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'an upgrade is disputed: what was paid before stays': {
    told: [
      ...bought(),
      ...upgraded(),
      attached('in_2', day(3), P2_INTENT, { amountPaid: 1800 }),
      dispute('created', 'needs_response', day(5), P2, { amount: 1800 }),
    ],
    when: day(6),
    byDispute: ['plus', 'past_due'],
    byRefund: HAS('pro'),
    rule: 'pending_taken_back',
  },
  'a renewal is disputed while the next month is paid': {
    told: [
      ...bought(),
      month(1, 'in_2'),
      attached('in_2', day(30), P2_INTENT),
      month(2, 'in_3'),
      dispute('created', 'lost', day(61), P2),
    ],
    when: day(62),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a dispute was lost, and the next month is paid': {
    told: [...bought(), attached('in_1', day(0)), dispute('closed', 'lost', day(5)), month(1, 'in_2')],
    when: day(31),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'one of two payments of an invoice is disputed': {
    told: [
      ...bought(),
      attached('in_1', day(0), {}, { amountPaid: 600 }),
      attached('in_1', day(0), P2_INTENT, { amountPaid: 400, invoicePayment: 'inpay_2' }),
      dispute('closed', 'lost', day(5), P2, { amount: 400 }),
    ],
    when: day(6),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'one of two payments of an invoice is refunded in full': {
    told: [
      ...bought(),
      attached('in_1', day(0), {}, { amountPaid: 600 }),
      attached('in_1', day(0), P2_INTENT, { amountPaid: 400, invoicePayment: 'inpay_2' }),
      refunded(1000, day(5), P2),
    ],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a dispute that Stripe shows lost within the second in which it is told of as won': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'won', day(2)),
      disputeShown('lost', day(2)),
    ],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a dispute that Stripe shows lost after it was told of as won': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      dispute('created', 'won', day(2)),
      disputeShown('lost', day(3)),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a payment is refunded in full': {
    told: [...bought(), attached('in_1', day(0)), refunded(1000, day(5))],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: GONE,
    rule: 'refunded_in_full',
  },
  'refunds in parts add up to all of it': {
    told: [...bought(), attached('in_1', day(0)), refunded(300, day(4)), refunded(1000, day(5))],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: GONE,
    rule: 'refunded_in_full',
  },
  'two refunds within a second add up to all of it': {
    told: [...bought(), attached('in_1', day(0)), refunded(1000, day(5)), refunded(300, day(5))],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: GONE,
    rule: 'refunded_in_full',
  },
  'a part is refunded': {
    told: [...bought(), attached('in_1', day(0)), refunded(999, day(5))],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a full refund failed later': {
    told: [...bought(), attached('in_1', day(0)), refunded(1000, day(5)), refundFailed('re_1', 1000, day(7))],
    when: day(8),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a refund failed before all was refunded, and is told of once more': {
    told: [
      ...bought(),
      attached('in_1', day(0)),
      refundFailed('re_1', 1000, day(4)),
      refunded(1000, day(5)),
      refundFailed('re_1', 1000, day(7)),
    ],
    when: day(8),
    byDispute: HAS('plus'),
    byRefund: GONE,
    rule: 'refunded_in_full',
  },
  'a part was paid from the balance, and the rest is refunded': {
    told: [...bought(BALANCE), attached('in_1', day(0), {}, { amountPaid: 400 }), refunded(1000, day(5))],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'a payment record paid a part, and the rest is refunded': {
    told: [
      ...bought(),
      attached('in_1', day(0), {}, { amountPaid: 400 }),
      attached('in_1', day(0), { paymentIntent: null }, { paymentRecord: 'pr_1', invoicePayment: 'inpay_2' }),
      refunded(1000, day(5)),
    ],
    when: day(6),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
  'an invoice that was never seen paid is disputed': {
    told: [
      seen('created', day(0), { items: [plus] }),
      invoice('open', day(0), {
        id: 'in_1',
        billingReason: 'subscription_create',
        lines: [line('plus_m', 1000, day(0), day(30))],
      }),
      attached('in_1', day(0)),
      dispute('created', 'needs_response', day(2)),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'an intent and a charge are named together by what tells of neither': {
    told: [
      ...bought(),
      attached('in_1', day(0), P2_INTENT),
      dispute('created', 'needs_response', day(2), P2_CHARGE),
      refunded(100, day(1), P2),
    ],
    when: day(5),
    byDispute: GONE,
    byRefund: HAS('plus'),
    rule: 'disputed',
  },
  'a payment of something else is disputed': {
    told: [...bought(), attached('in_1', day(0)), dispute('created', 'needs_response', day(2), P2)],
    when: day(5),
    byDispute: HAS('plus'),
    byRefund: HAS('plus'),
    rule: 'first_period',
  },
};

const DISPUTES = storyCatalog({ dispute: 'suspend', fullRefund: 'keep' });
const REFUNDS = storyCatalog({ dispute: 'keep', fullRefund: 'suspend' });
const NEITHER = storyCatalog({ dispute: 'keep', fullRefund: 'keep' });

/** Each entry of a list first in turn, the others in their order and in the reverse. */
function orders(story: SubscriptionStory): readonly SubscriptionStory[] {
  return story.flatMap((_, n) => {
    const turned = [...story.slice(n), ...story.slice(0, n)];
    return [turned, [...turned].reverse()];
  });
}

/** What is judged at last of facts that come one by one into lists that grow, and are judged after each. */
function judgedAsTold(story: SubscriptionStory, catalog: PlanCatalog, now: number): Judgement | null {
  const kept = {
    ...subscription([]),
    observations: growingList<Observation>([]),
    invoices: growingList<InvoiceObservation>([]),
    payments: growingList<PaymentObservation>([]),
  };
  let judgement: Judgement | null = null;
  for (const { kind, fact } of story) {
    if (kind === 'observation') kept.observations.push(fact);
    else if (kind === 'invoice') kept.invoices.push(fact);
    else if (kind === 'payment') kept.payments.push(fact);
    judgement = judge({ subscriptions: [kept] }, catalog, now);
  }
  return judgement;
}

describe.each(Object.entries(CASES))('Where %s', (_, { told, when, byDispute, byRefund, rule }) => {
  const factsOf = (story: SubscriptionStory) => ({
    subscriptions: [{ ...subscription(story), subscription: 'sub_1' }],
  });

  it.each([
    ['dispute: suspend', DISPUTES, byDispute],
    ['fullRefund: suspend', REFUNDS, byRefund],
  ] as const)('the plan is as %s says, whatever the order', (_name, catalog, [plan, status]) => {
    for (const story of [told, ...orders(told)]) {
      const facts = factsOf(story);
      const judgement = judge(facts, catalog, at(when));
      expect(judgement.entitlement).toMatchObject({ plan, status });
      expect(oracleJudge(facts, catalog, at(when))).toEqual(judgement);
      expect(judgedAsTold(story, catalog, at(when))).toEqual(judgement);
    }
  });

  it('the rule is named, and neither setting takes anything where both say keep', () => {
    const catalog = rule === 'refunded_in_full' ? REFUNDS : DISPUTES;
    const { reasons } = explain(
      { ...factsOf(told), deletedBy: new Map(), things: () => [] },
      catalog,
      at(when),
    );
    expect(reasons.map(({ code }) => code)).toContain(rule);
    expect(judge(factsOf(told), NEITHER, at(when)).entitlement.status).toBe('active');
  });
});
