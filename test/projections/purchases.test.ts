import fc from 'fast-check';
import type { DomainEvent } from '../../src/events/event-types.js';
import type { FactOrigin } from '../../src/policy/facts.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { ExplanationReader } from '../../src/projections/read-models/explanation.reader.js';
import { OpsReader } from '../../src/projections/read-models/ops.reader.js';
import { at, day, type PurchaseStory, refunded, sale, storyCatalog } from '../support/policy-stories.js';
import { ProjectedLog, type Replay, type ToRecord } from '../support/projected-log.js';
import { publication } from '../support/stories-to-record.js';

const KEPT: Replay = { batchSize: 500, sliceSize: 10, projector: 'kept' };
const ANEW: Replay = { batchSize: 1, sliceSize: 10, projector: 'made anew each round', bytesInMemory: 0 };

/** What a story tells, as events that Stripe or ops brought. */
function told(story: PurchaseStory): readonly ToRecord[] {
  return story.flatMap((each) => {
    if (each.kind === 'started') return [];
    const { type, data, ...origin } = each.fact;
    return [recorded({ type, data } as DomainEvent, origin)];
  });
}

function recorded(event: DomainEvent, origin: FactOrigin | null): ToRecord {
  return { event, origin, at: at(origin?.created ?? day(5)) };
}

const bought = sale('CheckoutCompleted', day(0), null);
const listed = sale('CheckoutRetrieved', day(1), { team_once: 7 });
const refund = refunded(1000, day(2));
const claims = (metadataUserId: string | null, clientReferenceId: string | null = null) =>
  sale('CheckoutCompleted', day(0), { pro_once: 1 }, { metadataUserId, clientReferenceId });
const ofCustomer = (userId: string, created = day(0)) =>
  recorded(
    { type: 'CustomerObserved', data: { customer: 'cus_1', userId } },
    { eventId: `evt_of_${userId}`, stripeType: 'customer.updated', created },
  );
const started = recorded(
  {
    type: 'CheckoutStarted',
    data: {
      session: 'cs_1',
      userId: 'ann',
      customer: 'cus_1',
      purpose: 'purchase',
      mode: 'payment',
      plan: 'team',
      interval: 'lifetime',
      price: 'team_once',
      quantity: 3,
      addons: [],
      trialDays: 0,
      subscription: null,
      ends: [],
      expiresAt: null,
    },
  },
  null,
);
const link = (userId: string) =>
  recorded({ type: 'CheckoutLinked', data: { session: 'cs_1', userId, reason: null } }, null);
const customerLink = recorded(
  { type: 'CustomerLinked', data: { customer: 'cus_1', userId: 'cleo', reason: null } },
  null,
);

describe('Purchases in the read models', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(publication(storyCatalog(), day(-1)));
  });
  afterEach(async () => {
    await log.close();
  });

  async function fold(events: readonly ToRecord[], replay = KEPT): Promise<void> {
    await log.record(...events);
    await log.replay(replay);
  }

  /** Plan and status of each user who has a row. */
  async function users(): Promise<Readonly<Record<string, string>>> {
    const { rows } = await log.pool.query<{ user_id: string; plan: string; status: string }>(
      'select user_id, plan, status from tenure.user_role order by 1',
    );
    return Object.fromEntries(rows.map(({ user_id: user, plan, status }) => [user, `${plan} ${status}`]));
  }

  it.each<[string, readonly ToRecord[], Readonly<Record<string, string>>]>([
    ['to the user in its metadata', told([claims('ann', 'bob')]), { ann: 'pro active' }],
    [
      'to the user whom ops linked its session to',
      [...told([claims('ann')]), link('bob')],
      { ann: 'free none', bob: 'pro active' },
    ],
    [
      'to the user in its metadata, whomever its customer is linked to',
      [...told([claims('ann')]), customerLink],
      { ann: 'pro active' },
    ],
    [
      'to the user whom its customer is linked to, whatever that says itself',
      [...told([claims(null, 'bob')]), ofCustomer('dora'), customerLink],
      { bob: 'free none', cleo: 'pro active', dora: 'free none' },
    ],
    [
      'to the user in the metadata of its customer, before its reference',
      [...told([claims(null, 'bob')]), ofCustomer('dora')],
      { bob: 'free none', dora: 'pro active' },
    ],
    ['to the user of its reference', told([claims(null, 'bob')]), { bob: 'pro active' }],
    ['to nobody', told([claims(null)]), {}],
    [
      'to the user again once ops take their link back',
      [
        ...told([claims('ann')]),
        link('bob'),
        recorded({ type: 'CheckoutUnlinked', data: { session: 'cs_1', reason: null } }, null),
      ],
      { ann: 'pro active', bob: 'free none' },
    ],
  ])('belong %s', async (_, events, expected) => {
    await fold(events, ANEW);
    expect(await users()).toEqual(expected);
  });

  it('are sold by what Tenure started, until their line items are known', async () => {
    await fold([started, ...told([sale('CheckoutCompleted', day(0), null, { metadataUserId: 'ann' })])]);
    expect(await users()).toEqual({ ann: 'team active' });
    await fold(told([sale('CheckoutRetrieved', day(1), { pro_once: 1 })]), ANEW);
    expect(await users()).toEqual({ ann: 'pro active' });
  });

  it('are judged alike in every order, in batches of any size', async () => {
    const events = [...told([bought, listed, refund]), ofCustomer('ann'), customerLink, started];
    const outcome = async () => {
      const { rows } = await log.pool.query(
        `select c.owner, c.conflicts, c.purchase, u.snapshot from tenure.checkout c
         join tenure.user_role u on u.generation = c.generation and u.user_id = c.owner`,
      );
      return rows;
    };
    await fold(events);
    const expected = await outcome();
    expect(expected).toMatchObject([{ owner: 'cleo', purchase: true }]);
    expect(await users()).toMatchObject({ cleo: 'free unpaid' });
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(events, { minLength: events.length }),
        fc.constantFrom(KEPT, ANEW),
        async (shuffled, replay) => {
          await log.empty();
          await log.record(publication(storyCatalog(), day(-1)));
          await fold(
            shuffled.map((each) => ({ ...each, at: at(day(5)) })),
            replay,
          );
          expect(await outcome()).toEqual(expected);
        },
      ),
      { numRuns: 6 },
    );
  });

  it('are listed for ops while nobody owns them, and where facts disagree', async () => {
    await fold(told([claims(null)]));
    const ops = new OpsReader(log.source);
    const mine = { kind: 'checkout', id: 'cs_1', customer: 'cus_1' };
    expect((await ops.unlinked(null, 10)).items).toContainEqual(mine);
    await fold([link('bob'), ...told([sale('CheckoutRetrieved', day(3), null, { metadataUserId: 'ann' })])]);
    expect((await ops.unlinked(null, 10)).items).not.toContainEqual(mine);
    const { items, next } = await ops.conflicts(null, 1);
    expect({ items, next }).toEqual({
      items: [
        {
          kind: 'checkout',
          id: 'cs_1',
          owner: 'bob',
          claims: [{ userId: 'ann', eventId: expect.any(String) }],
        },
      ],
      next: 'checkout:cs_1',
    });
  });

  it('are served and explained with their events, also those of a refund', async () => {
    const completed = claims('ann');
    await fold(told([completed, refund]));
    const now = () => at(day(6));
    const [served] = await new EntitlementReader(log.pool, now).readMany(['ann']);
    expect(served?.snapshot).toMatchObject({ plan: 'free', status: 'unpaid', source: null });
    const reader = new ExplanationReader({ pool: log.pool, store: log.store, streamPrefix: 'tenure.', now });
    const { reasons } = await reader.explain('ann');
    expect(reasons.find(({ of }) => of === 'purchase:cs_1')).toMatchObject({
      code: 'purchase_refunded',
      events: expect.arrayContaining([
        expect.objectContaining({ type: 'CheckoutCompleted', stripeEventId: completed.fact.eventId }),
        expect.objectContaining({ type: 'PaymentRefunded', stripeEventId: refund.fact.eventId }),
      ]),
    });
  });
});
