import fc from 'fast-check';
import type { DomainEvent } from '../../src/events/event-types.js';
import { type FoldingRules, RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { type History, history, policyAfter, USERS } from '../support/histories.js';
import {
  at,
  attached,
  day,
  dispute,
  invoice,
  item,
  line,
  sale,
  storyCatalog,
  type Told,
} from '../support/policy-stories.js';
import { ProjectedLog, type Replay, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';

/** How many histories are tried; `REPLAY_SEED` repeats a run. */
const numRuns = Number(process.env.REPLAY_RUNS ?? '2');
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const seed = process.env.REPLAY_SEED === undefined ? {} : { seed: Number(process.env.REPLAY_SEED) };

/** The way to fold that all others are compared with, and those others. */
const STRAIGHT: Replay = { batchSize: 1_000, sliceSize: 1_000, projector: 'kept' };
const OTHERS: readonly Replay[] = [
  { batchSize: 1, sliceSize: 1_000, projector: 'kept' },
  { batchSize: 2, sliceSize: 3, projector: 'kept' },
  { batchSize: 1, sliceSize: 1, projector: 'kept', bytesInMemory: 15_000 },
  { batchSize: 7, sliceSize: 2, projector: 'made anew each round' },
  { batchSize: 1, sliceSize: 1, projector: 'made anew each round' },
  { batchSize: 12, sliceSize: 1_000, projector: 'made anew each round', shakenBy: 1 },
];

async function withLog({ events }: History, look: (log: ProjectedLog) => Promise<void>): Promise<void> {
  const log = await ProjectedLog.open();
  try {
    await log.record(...events);
    await look(log);
  } finally {
    await log.close();
  }
}

describe('One log replayed', () => {
  it(
    'gives the same rows in every column, whatever the batches and slices, restarted between them or not',
    async () => {
      await fc.assert(
        fc.asyncProperty(history(), (given) =>
          withLog(given, async (log) => {
            expect((await log.replay(STRAIGHT)).outcome).toBe('idle');
            const expected = await log.rows();
            for (const other of OTHERS) {
              await log.empty();
              expect((await log.replay(other)).outcome).toBe('idle');
              expect({ ...other, rows: await log.rows() }).toEqual({ ...other, rows: expected });
            }
          }),
        ),
        { numRuns, endOnFailure: true, ...seed },
      );
    },
    RUNS_MS,
  );

  it(
    'shows what the policy says of the whole set of facts',
    async () => {
      await fc.assert(
        fc.asyncProperty(history(), (given) =>
          withLog(given, async (log) => {
            await log.replay(STRAIGHT);
            const now = Math.max(...given.events.map(({ at }) => at));
            const served = await new EntitlementReader(log.pool, () => now).readMany(USERS);
            const shown = served.map(({ snapshot }) => {
              const { userId, revocationVersion, position, changedAt, scheduledChange, ...entitlement } =
                snapshot;
              return [userId, entitlement];
            });
            expect(new Map(shown as [string, unknown][])).toEqual(policyAfter(given));
          }),
        ),
        { numRuns, endOnFailure: true, ...seed },
      );
    },
    RUNS_MS,
  );

  it('judges a user again after a sight of the subscription, but not where that repeats the one before it and no time changed anything', async () => {
    const log = await ProjectedLog.open();
    try {
      const noted = { userId: 'anna', previous: {} };
      await log.record(
        publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
        sightOf('a', day(1), { userId: 'anna' }),
        sightOf('b', day(1), { userId: 'bert', cancelAt: day(5) }),
        sightOf('a', day(2), noted),
        sightOf('a', day(3), { userId: 'anna', status: 'past_due', previous: { status: 'active' } }),
        sightOf('a', day(4), { ...noted, status: 'past_due' }),
        sightOf('b', day(6), { userId: 'bert', cancelAt: day(5), previous: {} }),
        sightOf('a', day(9), noted),
      );
      const { isRepeated, ...slow } = RUNNING_RULES;
      const judgements = async (given: FoldingRules): Promise<number> => {
        await log.empty();
        let count = 0;
        const judge: FoldingRules['judge'] = (facts, catalog, now) => {
          count += facts.subscriptions.length;
          return given.judge(facts, catalog, now);
        };
        await log.replay({ ...STRAIGHT, rules: { ...given, judge } });
        return count;
      };
      expect(await judgements(slow)).toBe(7);
      const rows = await log.rows();
      expect(await judgements(RUNNING_RULES)).toBe(5);
      expect(await log.rows()).toEqual(rows);
    } finally {
      await log.close();
    }
  });

  it('writes the row of a user again where a judgement gives another, and only there', async () => {
    const log = await ProjectedLog.open();
    try {
      await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)));
      const written = async (second: number, more: Parameters<typeof sightOf>[2]): Promise<unknown> => {
        await log.record(sightOf('a', second, { userId: 'anna', ...more }));
        await log.replay(STRAIGHT);
        const { rows } = await log.pool.query('select xmin from tenure.user_role');
        return rows;
      };
      const first = await written(day(1), {});
      expect(first).toHaveLength(1);
      expect(await written(day(2), { latestInvoice: 'in_1' })).toEqual(first);
      expect(await written(day(3), { status: 'past_due' })).not.toEqual(first);
      // Who is seen for the first time has a row, though it says what holds without one.
      await log.record(sightOf('b', day(4), { userId: 'bert', status: 'incomplete' }));
      await log.replay(STRAIGHT);
      const { rows } = await log.pool.query('select user_id from tenure.user_role order by user_id');
      expect(rows).toEqual([{ user_id: 'anna' }, { user_id: 'bert' }]);
    } finally {
      await log.close();
    }
  });

  it('judges by the first catalogue whoever had something before it, bought, granted or set', async () => {
    const log = await ProjectedLog.open();
    try {
      const said = { reason: 'a test', actor: 'mira' };
      const terms = {
        plan: null,
        addons: {},
        features: ['sso'],
        limits: {},
        startsAt: null,
        expiresAt: null,
      };
      const sold = sale('CheckoutCompleted', day(0), { pro_once: 1 }, { metadataUserId: 'cleo' });
      if (sold.kind !== 'sale') throw new Error('a sale is observed');
      const { type, data, ...origin } = sold.fact;
      const byHand: readonly DomainEvent[] = [
        { type: 'GrantIssued', data: { ...said, ...terms, userId: 'anna', grant: 'gr_1' } },
        {
          type: 'OverrideSet',
          data: { ...said, userId: 'bert', key: 'sso', value: true, add: null, expiresAt: null },
        },
      ];
      await log.record(
        ...byHand.map((event) => ({ event, origin: null, at: at(day(0)) })),
        { event: { type, data } as DomainEvent, origin, at: at(day(0)) },
        publication(storyCatalog(), day(1)),
      );
      await log.replay({ ...STRAIGHT, sliceSize: 1 });
      const { rows } = await log.pool.query('select user_id from tenure.user_role order by user_id');
      expect(rows.map(({ user_id }) => user_id)).toEqual(['anna', 'bert', 'cleo']);
    } finally {
      await log.close();
    }
  });

  it('takes access away where a dispute and a sight of its subscription come in one batch, to one who is not in memory', async () => {
    const log = await ProjectedLog.open();
    try {
      const paid = invoice('paid', day(1), {
        paymentIntent: 'pi_1',
        lines: [line('plus_m', 1000, day(0), day(30))],
      });
      const fresh: Replay = { ...STRAIGHT, projector: 'made anew each round' };
      await log.record(
        publication(storyCatalog(), day(0)),
        sightOf('1', day(1), { userId: 'anna' }),
        ...[
          paid,
          attached('in_1', day(1)),
          dispute('created', 'needs_response', day(2)),
          dispute('closed', 'won', day(3)),
        ].map(told),
      );
      await log.replay(fresh);
      const another = dispute('created', 'needs_response', day(4), {}, { dispute: 'du_2', invoice: 'in_1' });
      await log.record(told(another), sightOf('1', day(5), { userId: 'anna', items: [item('pro_m')] }));
      await log.replay(fresh);
      const rows = await log.rows();
      expect(rows.user_role).toMatchObject([{ user_id: 'anna', role: 'free' }]);
      await log.empty();
      await log.replay({ ...fresh, batchSize: 1 });
      expect(await log.rows()).toEqual(rows);
    } finally {
      await log.close();
    }
  });
});

/** What is told of an invoice or a payment, to be recorded. */
function told({ kind, fact }: Told): ToRecord {
  if (kind !== 'invoice' && kind !== 'payment')
    throw new Error(`a story of an invoice or a payment tells no ${kind}`);
  const { type, data, ...origin } = fact;
  return { event: { type, data } as DomainEvent, origin, at: at(fact.created) };
}
