import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { judge } from '../../src/policy/judge.js';
import { type FoldingRules, RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { beginGeneration } from '../../src/projections/rebuild/generation-table.js';
import type { Afterwards, RebuildJob } from '../../src/projections/rebuild/rebuild-jobs.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const USERS = Array.from({ length: 20 }, (_, n) => `user ${n}`);
const LAST = String(USERS.length + 1);

/** Gives every plus user another feature, so that each sees a change. */
const WITH_API: FoldingRules = {
  codeVersion: 'other',
  judge: (facts, _, now) => judge(facts, twoPlans({ free: 'reports', plus: 'api' }), now),
};

/** Cannot judge anyone. */
const FAILING: FoldingRules = {
  codeVersion: 'third',
  judge: () => {
    throw new Error('no judgement');
  },
};

describe('What was ordered with a rebuild', () => {
  let log: ProjectedLog;
  let clients: pg.PoolClient[];
  beforeEach(async () => {
    log = await ProjectedLog.open();
    clients = [];
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      ...USERS.map((userId, n) => sightOf(String(n), day(0), { userId })),
    );
    const first = await start('first', RUNNING_RULES);
    await first.reaches(LAST);
    await first.stop();
  });
  afterEach(async () => {
    for (const client of clients) client.release(true);
    await log.close();
  });

  const ahead = at(day(1)) - Date.now();
  function start(name: string, rules = WITH_API, more: Parameters<typeof log.start>[1] = {}) {
    return log.start(name, { rules, now: () => Date.now() + ahead, patienceMs: 20_000, ...more });
  }

  /** A connection in a transaction that has done something; given up in the end whatever the test came to. */
  async function holding(statement: string, mode = 'read committed'): Promise<pg.PoolClient> {
    const client = await openTransaction(log.pool, mode);
    clients.push(client);
    await client.query(statement);
    return client;
  }

  /** The rebuild once it is in a phase. */
  function comesTo(phase: RebuildJob['phase'], { rebuilds: generations }: Instance): Promise<RebuildJob> {
    return until(`a rebuild to be ${phase}`, async () => {
      const rebuild = await generations.rebuildOf('latest');
      return rebuild?.phase === phase && rebuild;
    });
  }

  /** Orders a rebuild while nobody runs. */
  function ordered(afterwards: Afterwards): Promise<number> {
    return beginGeneration(log.pool, {
      projection: 'entitlements',
      state: 'building',
      startedBy: OPS.actor,
      reason: OPS.reason,
      codeVersion: WITH_API.codeVersion,
      order: { id: randomUUID(), afterwards },
    });
  }

  it('is carried out by whoever goes on with the build, and written down', async () => {
    const generation = await ordered('swap');
    const blocker = await holding(
      `insert into tenure.revocation_version select ${generation}, user_id, counter, raised_at
       from tenure.revocation_version where generation = 1 and user_id = 'user 10'`,
    );
    const a = await start('a', WITH_API, { buildBatchSize: 4 });
    await until('a part is built', async () => ((await a.rebuilds.rebuildOf('latest'))?.events ?? 0) > 0);
    expect(await a.rebuilds.rebuildOf('latest')).toMatchObject({
      generation,
      phase: 'building',
      afterwards: 'swap',
      ...OPS,
      live: LAST,
      report: null,
      finishedAt: null,
    });
    await until('the build waits', async () => (await log.endWaiting('a')) > 0);
    await Promise.all([a.stop(), blocker.query('rollback')]);
    expect((await log.pool.query('select generation from tenure.live_generation')).rows).toEqual([
      { generation: 1 },
    ]);
    const b = await start('b');
    expect(await comesTo('swapped', b)).toMatchObject({
      generation,
      events: Number(LAST),
      report: { swap: 1, kind: 'swap', changed: USERS.length, to: { generation } },
      failure: null,
      finishedAt: expect.any(String),
    });
    expect(await b.rebuilds.swaps(10)).toMatchObject([{ swap: 1, to: generation, ...OPS }]);
  });

  it.each([
    ['in the middle', 'lock table tenure.generation_swap in exclusive mode'],
    ['as it writes down its end', 'select from tenure.rebuild_order for update'],
  ])(
    'to swap is begun anew when it was cut off %s, and nothing of the first try is left',
    async (_, hold) => {
      await ordered('swap');
      const blocker = await holding(hold);
      const a = await start('a');
      await until('the swap waits', async () => (await log.endWaiting('a')) > 0);
      expect(await comesTo('comparing', a)).toMatchObject({ report: null });
      expect(await a.rebuilds.swaps(10)).toEqual([]);
      await blocker.query('rollback');
      expect(await comesTo('swapped', a)).toMatchObject({ report: { swap: 1, changed: USERS.length } });
      expect(await a.rebuilds.swaps(10)).toHaveLength(1);
      const { rows } = await log.pool.query('select from tenure.revocation_feed where version > 1');
      expect(rows).toHaveLength(USERS.length);
    },
  );

  it('to keep leaves a build that can be swapped in later, and its report', async () => {
    const a = await start('a');
    const generation = await a.rebuilds.order({ ...OPS, id: randomUUID(), afterwards: 'keep' });
    const kept = await comesTo('kept', a);
    expect(kept).toMatchObject({ report: { changed: USERS.length, to: { generation } } });
    await a.rebuilds.swap(generation, { actor: 'eva', reason: 'now' });
    expect(await a.rebuilds.rebuildOf('latest')).toEqual({ ...kept, live: LAST });
    expect(await a.rebuilds.swaps(1)).toMatchObject([{ actor: 'eva' }]);
  });

  it('to drop is gone on with when the drop was cut off, also by an instance that folds nothing', async () => {
    const a = await start('a');
    const long = await holding('select count(*) from tenure.user_role', 'repeatable read');
    const generation = await a.rebuilds.order({ ...OPS, id: randomUUID(), afterwards: 'drop' });
    await comesTo('dropping', a);
    // A read that began before the build is waited for, and cut off at a stop.
    await until('the drop waits', async () => (await log.endWaiting('a')) > 0);
    await a.stop();
    const b = await start('b');
    expect(await comesTo('dropping', b)).toMatchObject({ report: { changed: USERS.length } });
    await long.query('commit');
    expect(await comesTo('dropped', b)).toMatchObject({
      generation,
      handled: null,
      events: null,
      builtBy: null,
      report: { changed: USERS.length },
    });
    expect((await b.rebuilds.list()).map((each) => each.generation)).toEqual([1]);
  });

  it('ends with what somebody else does with the build first', async () => {
    const a = await start('a');
    const blocker = await holding('lock table tenure.generation_swap in exclusive mode');
    const generation = await a.rebuilds.order({ ...OPS, id: randomUUID(), afterwards: 'swap' });
    await log.waits('a'); // the swap: whoever else runs before it may be the one that swaps
    const b = await start('b');
    const dropping = b.rebuilds.drop(generation);
    await log.waits('b');
    await log.endWaiting('a');
    await dropping;
    const gone = await until('its end', async () => {
      const rebuild = await a.rebuilds.rebuildOf(generation);
      return rebuild?.finishedAt !== null && rebuild;
    });
    expect(gone).toMatchObject({ generation, phase: 'dropped', report: null, failure: null });
    await blocker.query('rollback');
    expect(await a.rebuilds.swaps(10)).toEqual([]);
    const next = await a.rebuilds.order({ ...OPS, id: randomUUID(), afterwards: 'swap' });
    expect(await comesTo('swapped', a)).toMatchObject({ generation: next });
  });

  it('fails with the fault that the build stopped at, and leaves the build', async () => {
    const a = await start('a', FAILING);
    const generation = await a.rebuilds.order({ ...OPS, id: randomUUID(), afterwards: 'swap' });
    expect(await comesTo('failed', a)).toMatchObject({
      generation,
      failure: { code: 'generation_faulted', message: expect.stringContaining('no judgement') },
      report: null,
    });
    expect((await a.rebuilds.list()).map((each) => each.role)).toEqual(['live', 'building']);
  });

  it('is given up where nobody runs the code that began it', async () => {
    const generation = await ordered('swap');
    const a = await start('a', RUNNING_RULES, { patienceMs: 300 });
    expect(await comesTo('failed', a)).toMatchObject({
      generation,
      failure: { code: 'build_of_other_code' },
      events: 0,
    });
    expect(await a.rebuilds.swaps(10)).toEqual([]);
  });

  it('does not hold up a stop, however long a read is that a drop waits for', async () => {
    const a = await start('a');
    const long = await holding('select count(*) from tenure.user_role', 'repeatable read');
    await a.rebuilds.order({ ...OPS, id: randomUUID(), afterwards: 'drop' });
    await comesTo('dropping', a);
    await a.stop();
    await long.query('commit');
    await comesTo('dropped', await start('b'));
  });

  it('is nothing for builds of the command line, which are shown while they last', async () => {
    const a = await start('a');
    expect(await a.rebuilds.rebuildOf('latest')).toBeNull();
    const generation = await a.rebuilds.begin(OPS);
    expect(await comesTo('level', a)).toMatchObject({ generation, afterwards: null, ...OPS });
    await a.rebuilds.swap(generation, OPS);
    expect(await a.rebuilds.rebuildOf('latest')).toBeNull();
    expect(await a.rebuilds.rebuildOf(generation)).toMatchObject({ phase: 'swapped', report: null });
  });
});
