import { planCatalogSchema } from '../../src/events/catalog.events.js';
import type { PlanChangeRequestedData } from '../../src/events/plan-change.events.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { observationEvent } from '../support/lives.facts.js';
import { at, day, item, seen } from '../support/policy-stories.js';
import { ProjectedLog, type Replay, type ToRecord } from '../support/projected-log.js';

const STRAIGHT: Replay = { batchSize: 500, sliceSize: 1_000, projector: 'kept' };
const CATALOGUE: ToRecord = {
  event: {
    type: 'PlanCatalogPublished',
    data: {
      hash: 'hash',
      catalog: planCatalogSchema.parse({
        default: 'free',
        plans: {
          free: { rank: 0, role: 'free' },
          plus: { rank: 1, role: 'paid', prices: { m: 'plus_m' } },
          pro: { rank: 2, role: 'paid', prices: { m: 'pro_m' } },
        },
      }),
    },
  },
  origin: null,
  at: at(day(0)),
};

/** Makes what happens to one user. */
class Life {
  constructor(readonly userId: string) {}

  /** What Stripe told of the subscription at a second (Unix); `names` are the attributes that it says changed. */
  told(second: number, more: Parameters<typeof seen>[2] = {}, names: readonly string[] = []): ToRecord {
    const { userId } = this;
    const of = { subscription: `sub_${userId}`, customer: `cus_${userId}`, userId, items: [item('pro_m')] };
    const what = seen('updated', second, { ...of, ...more });
    if (what.kind !== 'observation') throw new Error('a sight is an observation');
    const previous = names.length === 0 ? null : { names: [...names], digest: 'd' };
    const fact = {
      ...what.fact,
      eventId: `evt_${userId}_${second}`,
      data: { ...what.fact.data, previous },
    };
    return { event: observationEvent(fact), origin: fact, at: at(second) };
  }

  asked(more: Partial<PlanChangeRequestedData> = {}): ToRecord {
    const data: PlanChangeRequestedData = {
      userId: this.userId,
      subscription: `sub_${this.userId}`,
      plan: 'plus',
      interval: 'm',
      price: 'plus_m',
      quantity: 1,
      addons: {},
      when: 'period_end',
      at: day(30),
      schedule: 'sub_sched_1',
      askedAt: day(2),
      ...more,
    };
    return { event: { type: 'PlanChangeRequested', data }, origin: null, at: at(day(2)) };
  }

  withdrawn(): ToRecord {
    const { userId } = this;
    const data = { userId, subscription: `sub_${userId}`, schedule: 'sub_sched_1' };
    return { event: { type: 'PlanChangeWithdrawn', data }, origin: null, at: at(day(3)) };
  }
}

const TO_COME = { plan: 'plus', interval: 'm', at: new Date(at(day(30))).toISOString() };
const THE_END = { plan: 'free', interval: null, at: new Date(at(day(20))).toISOString() };

const CASES: readonly [what: string, life: (of: Life) => readonly ToRecord[], expected: object | null][] = [
  ['what a schedule brings', (of) => [of.told(day(1)), of.asked()], TO_COME],
  ['the same before Stripe has told of the subscription', (of) => [of.asked(), of.told(day(3))], TO_COME],
  [
    'the last that was asked for',
    (of) => [of.told(day(1)), of.asked(), of.asked({ plan: 'basic', interval: null })],
    { ...TO_COME, plan: 'basic', interval: null },
  ],
  ['nothing where it was withdrawn', (of) => [of.told(day(1)), of.asked(), of.withdrawn()], null],
  [
    'nothing that was asked for at once',
    (of) => [of.told(day(1)), of.asked({ when: 'now', at: null, schedule: null })],
    null,
  ],
  [
    'nothing of a subscription that does not give the plan',
    (of) => [of.told(day(1)), of.asked({ subscription: 'sub_other' })],
    null,
  ],
  [
    'what the schedule brings whose making Stripe told in the same second',
    (of) => [of.told(day(1)), of.asked(), of.told(day(2), {}, ['schedule'])],
    TO_COME,
  ],
  [
    'nothing once the schedule left the subscription',
    (of) => [of.told(day(1)), of.asked(), of.told(day(4), {}, ['metadata', 'schedule'])],
    null,
  ],
  [
    "nothing once Stripe's clock has passed it",
    (of) => [of.told(day(1)), of.asked(), of.told(day(30), { items: [item('plus_m')] })],
    null,
  ],
  [
    'what it brings also when other things changed',
    (of) => [of.told(day(1)), of.asked(), of.told(day(4), {}, ['metadata'])],
    TO_COME,
  ],
  [
    'the default plan at the end of what was cancelled',
    (of) => [of.told(day(1), { cancelAt: day(20) })],
    THE_END,
  ],
  [
    'the end rather than what a schedule would bring after it',
    (of) => [of.told(day(1), { cancelAt: day(20) }), of.asked()],
    THE_END,
  ],
];

describe('What is to come for a plan', () => {
  let log: ProjectedLog;
  beforeAll(async () => {
    log = await ProjectedLog.open();
    const lives = CASES.flatMap(([, life], index) => life(new Life(`user${index}`)));
    await log.record(CATALOGUE, ...lives.sort((a, b) => a.at - b.at));
    expect((await log.replay(STRAIGHT)).outcome).toBe('idle');
  });
  afterAll(() => log.close());

  const served = (userId: string, now: number) => new EntitlementReader(log.pool, () => at(now)).read(userId);

  it.each(CASES.map(([what, , expected], index) => [what, expected, `user${index}`] as const))(
    'is %s',
    async (_, expected, userId) => {
      const { snapshot } = await served(userId, day(5));
      expect(snapshot.scheduledChange).toEqual(expected);
    },
  );

  it('is over when its time has come, also for who has the snapshot in memory', async () => {
    expect((await served('user0', day(29))).holdsUntil).toBe(at(day(30)));
    expect((await served('user0', day(30))).snapshot.scheduledChange).toBeNull();
  });
});
