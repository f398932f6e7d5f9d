import type pg from 'pg';
import { AggregateRepository } from '../../src/commands/aggregate-repository.js';
import { projectionAggregate } from '../../src/commands/projection.aggregate.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { ProjectionRecovery } from '../../src/projections/recovery.js';
import { failingRules, has } from '../support/failing-rules.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog, type Rows, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const USERS = ['u1', 'u2', 'u3', 'u4', 'u5', 'u6'];
const catalog = (edition: string) => twoPlans({ free: `free ${edition}`, plus: `plus ${edition}` });

/** A purchase by a user, named for their subscription. */
function bought(userId: string, second: number, more: Parameters<typeof sightOf>[2] = {}): ToRecord {
  const sight = sightOf(userId, second, { userId, ...more });
  const told = sight.origin && { ...sight.origin, eventId: `evt_${userId}_${second}` };
  return { ...sight, origin: told };
}

describe('While a publication is under way', () => {
  let log: ProjectedLog;
  let a: Instance;
  const holders = new Set<pg.PoolClient>();
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(publication(catalog('one'), day(0)), ...USERS.map((userId) => bought(userId, day(0))));
    a = await log.start('a', { sliceSize: 1, batchSize: 1, now: () => 0 });
    await a.reaches('7');
  });
  afterEach(async () => {
    for (const holder of holders) holder.release(true);
    holders.clear();
    await log.close();
  });

  /** Holds the slice that comes to a user, and what comes after it, until the answer is called. */
  async function holdAt(userId: string): Promise<() => Promise<void>> {
    const holder = await openTransaction(log.pool);
    holders.add(holder);
    await holder.query('select from tenure.user_role where user_id = $1 for update', [userId]);
    return async () => {
      holders.delete(holder);
      await holder.query('rollback');
      holder.release();
    };
  }

  async function isHeld(): Promise<void> {
    await until('a slice waits', async () => {
      const { rows } = await log.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
  }

  /** `features version` of users, from the database. */
  async function shown(...userIds: readonly string[]): Promise<readonly string[]> {
    const served = await new EntitlementReader(log.pool, () => at(day(1))).readMany(userIds);
    return served.map(({ snapshot }) => `${snapshot.features.join()} ${snapshot.revocationVersion}`);
  }

  /** What one fold of the whole log gives, in one slice. */
  async function straight(): Promise<Rows> {
    await log.empty();
    await log.replay({ batchSize: 500, sliceSize: 1_000, projector: 'kept' });
    return log.rows();
  }

  it('a purchase is shown before others are judged, in the new catalogue, and says both in its history', async () => {
    const letGo = await holdAt('u3');
    const published = await log.record(publication(catalog('two'), day(1)));
    await isHeld();
    expect(await shown('u1', 'u5', 'nobody')).toEqual([
      'free two,plus two 2',
      'free one,plus one 1',
      'free two 0',
    ]);
    expect(await a.publications.underWay()).toEqual([
      { position: published, judged: 2, users: USERS.length },
    ]);
    const [cancelled, late] = [
      await log.record(bought('u5', day(1), { status: 'canceled' })),
      await log.record(bought('new', day(1))),
    ];
    const letLastGo = await holdAt('u6');
    await letGo();
    await a.reaches(cancelled);
    await a.reaches(late);
    expect(await shown('u5', 'new', 'u6')).toEqual([
      'free two 3',
      'free two,plus two 1',
      'free one,plus one 1',
    ]);
    await letLastGo();
    await a.reaches(published);
    expect(await a.publications.underWay()).toEqual([]);
    expect(await shown(...USERS, 'new')).toEqual([
      ...USERS.map((userId) => (userId === 'u5' ? 'free two 3' : 'free two,plus two 2')),
      'free two,plus two 1',
    ]);
    const { rows } = await log.pool.query(
      `select position::text, event_type, counter from tenure.entitlement_history where user_id = 'u5' order by seq`,
    );
    expect(rows).toEqual([
      { position: '6', event_type: 'SubscriptionUpdated', counter: 1 },
      { position: published, event_type: 'PlanCatalogPublished', counter: 2 },
      { position: cancelled, event_type: 'SubscriptionUpdated', counter: 3 },
    ]);
    await a.stop();
    const rowsThen = await log.rows();
    expect(rowsThen).toEqual(await straight());
  });

  it('an event is visible once its own rows are written, and the publication once everybody is judged', async () => {
    const letGo = await holdAt('u2');
    const published = await log.record(publication(catalog('two'), day(1)));
    await isHeld();
    const purchase = await log.record(bought('u1', day(1), { status: 'past_due' }));
    const letLastGo = await holdAt('u5');
    await letGo();
    await a.reaches(purchase);
    expect(await a.engine.waitUntil(published, 50)).toBe(false);
    await letLastGo();
    await a.reaches(published);
    expect(await shown('u6')).toEqual(['free two,plus two 2']);
  });

  it('others are published, users come, and subscriptions change hands, as in one fold of the log', async () => {
    const letGo = await holdAt('u2');
    await log.record(publication(catalog('two'), day(1)));
    await isHeld();
    const link: ToRecord = {
      event: { type: 'SubscriptionLinked', data: { subscription: 'sub_u6', userId: 'u5', reason: null } },
      origin: null,
      at: at(day(1)),
    };
    await log.record(
      bought('u4', day(1), { status: 'past_due' }),
      publication(catalog('three'), day(2)),
      bought('zoe', day(2)),
      link,
      publication(catalog('two'), day(3)),
      bought('u3', day(3), { status: 'canceled' }),
      bought('anna', day(3)),
    );
    await letGo();
    await until('nothing is under way', async () => {
      const { rows } = await log.pool.query<{ within: string | null; handled: string }>(
        'select within, handled::text from tenure.projection_checkpoint',
      );
      return rows[0]?.within === null && rows[0].handled === '15';
    });
    await a.stop();
    const rowsThen = await log.rows();
    expect(rowsThen).toEqual(await straight());
  });

  it('ops go past it where more than may cannot be judged; who is left has the catalogue before it until an event of theirs', async () => {
    await a.stop();
    const rules = failingRules(
      '1',
      (judged) =>
        judged.catalog.plans.plus?.features[0] === 'plus two' &&
        ['sub_u1', 'sub_u3'].some((subscription) => has(judged, subscription)),
    );
    const b = await log.start('b', { rules, sliceSize: 1, batchSize: 1, faultLimit: 1, now: () => 0 });
    const published = await log.record(publication(catalog('two'), day(1)));
    await until('it stands', () => b.engine.status().state === 'faulted');
    expect(b.engine.status()).toMatchObject({
      handled: published,
      fault: { position: published, type: 'PlanCatalogPublished', code: 'fault_limit' },
    });
    expect(await shown('u1', 'u2', 'u3')).toEqual([
      'free one,plus one 1',
      'free two,plus two 2',
      'free one,plus one 1',
    ]);
    const { store, pool } = log;
    const commands = new AggregateRepository(store, projectionAggregate, { streamPrefix: 'tenure.' });
    const recovery = new ProjectionRecovery({
      store,
      streamPrefix: 'tenure.',
      pool,
      projection: 'entitlements',
      commands,
    });
    // It is recorded by the real clock, by which every month of the story is over: nothing here ends by itself.
    const skip = { actor: 'ops', correlationId: 'c', reason: 'two users cannot be judged' };
    expect(await recovery.skip(published, skip)).toMatchObject({ outcome: 'skipped', position: published });
    await b.reaches(published);
    await b.reaches(await log.record(bought('u5', day(1))));
    expect(await shown('u3', 'u4', 'u5', 'u6', 'nobody')).toEqual([
      'free one,plus one 1',
      'free one,plus one 1',
      'free two,plus two 2',
      'free one,plus one 1',
      'free two 0',
    ]);
    expect(b.engine.status()).toMatchObject({ state: 'leading', fault: null });
  });

  it('a build comes level and verifies, and a swap waits for the end of it', async () => {
    const generation = await a.rebuilds.begin(OPS);
    await a.rebuilds.untilCaughtUp(generation, () => undefined);
    const letGo = await holdAt('u2');
    const published = await log.record(publication(catalog('two'), day(1)));
    await isHeld();
    const last = await log.record(bought('u6', day(1), { status: 'canceled' }));
    const swapping = a.rebuilds.swap(generation, OPS);
    await letGo();
    expect(await swapping).toMatchObject({ changed: 0, detailsOnly: 0 });
    await a.reaches(last);
    await a.reaches(published);
    expect(await a.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
    expect(await shown('u5', 'u6')).toEqual(['free two,plus two 2', 'free two 3']);
  });
});
