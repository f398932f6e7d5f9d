import type pg from 'pg';
import { judge } from '../../src/policy/judge.js';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import { UserListReader } from '../../src/projections/read-models/user-list.reader.js';
import { compareGenerations } from '../../src/projections/rebuild/comparison.js';
import { gatherStatistics } from '../../src/projections/rebuild/generation-statistics.js';
import { findGeneration } from '../../src/projections/rebuild/generation-table.js';
import { begunBuild } from '../support/begun-build.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, KEY, ProjectedLog } from '../support/projected-log.js';
import { rowsRead } from '../support/rows-read.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const USERS = Array.from({ length: 20 }, (_, n) => `user ${n}`);
/** Who has the same in all generations. */
const OTHERS = 1_000;
const EVENTS = USERS.length + 1;

const WITH_API: FoldingRules = {
  codeVersion: 'other',
  judge: (facts, _, now) => judge(facts, twoPlans({ free: 'reports', plus: 'api' }), now),
};

describe('A generation of which PostgreSQL knows nothing yet', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open('inside');
    await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)));
  });
  afterEach(() => log.close());

  /** A build that differs from what is read in everything, begun by an instance that goes on with it. */
  async function built(): Promise<{ readonly instance: Instance; readonly generation: number }> {
    await log.record(...USERS.map((userId, n) => sightOf(String(n), day(0), { userId })));
    const first = await log.start('first');
    await first.reaches(String(EVENTS));
    await first.stop();
    const instance = await log.start('a', { rules: WITH_API, now: () => at(day(1)) });
    const generation = await instance.rebuilds.begin(OPS);
    await instance.rebuilds.untilCaughtUp(generation, () => undefined);
    return { instance, generation };
  }

  async function addOthers(generation: number): Promise<void> {
    const client = await log.pool.connect();
    try {
      await client.query(
        `insert into tenure.user_role (generation, user_id, role, plan, status, snapshot, successors, counter, position,
           changed_at, history_seq, catalog)
         select g, 'other ' || n, r.role, r.plan, r.status, r.snapshot, r.successors, r.counter, r.position, r.changed_at, 0, r.catalog
         from unnest(array[1, $1::int]) as g, generate_series(1, $2) as n,
           (select * from tenure.user_role where generation = 1 limit 1) as r`,
        [generation, OTHERS],
      );
      // Else it is counted within ten seconds.
      await client.query('select pg_stat_force_next_flush()');
    } finally {
      client.release();
    }
  }

  /** Rows that PostgreSQL takes the table of users of a generation for; -1: it never looked. */
  async function usersKnown(generation: number): Promise<number> {
    const { rows } = await log.pool.query('select reltuples from pg_class where oid = to_regclass($1)', [
      `tenure.user_role_g${generation}`,
    ]);
    return rows[0]?.reltuples;
  }

  it('has statistics before a swap holds anything, and no other generation is looked at', async () => {
    const { instance, generation } = await built();
    await addOthers(generation);
    expect(await usersKnown(generation)).toBe(-1);
    const holder = await openTransaction(log.pool);
    try {
      await holder.query('select from tenure.live_generation for update');
      const swapping = instance.rebuilds.swap(generation, OPS);
      await until(
        'PostgreSQL has looked',
        async () => (await usersKnown(generation)) === USERS.length + OTHERS,
      );
      await holder.query('rollback');
      expect(await swapping).toMatchObject({ changed: USERS.length });
    } finally {
      holder.release();
    }
    expect(await usersKnown(1)).toBe(-1);
  });

  it('has statistics before it is compared', async () => {
    const { instance, generation } = await built();
    await addOthers(generation);
    await instance.rebuilds.compare(generation);
    expect(await usersKnown(generation)).toBe(USERS.length + OTHERS);
  });

  it('has none where it is small, so that all is looked up by keys as it grows', async () => {
    const { instance, generation } = await built();
    await instance.rebuilds.compare(generation);
    await instance.rebuilds.swap(generation, OPS);
    expect(await usersKnown(generation)).toBe(-1);
  });

  it('is swapped without statistics of a table that somebody else looks at just then', async () => {
    const { instance, generation } = await built();
    await addOthers(generation);
    const vacuum = await openTransaction(log.pool);
    try {
      await vacuum.query(`lock table tenure.user_role_g${generation} in share update exclusive mode`);
      expect(await instance.rebuilds.swap(generation, OPS)).toMatchObject({ changed: USERS.length });
      await vacuum.query('rollback');
    } finally {
      vacuum.release();
    }
    expect(await usersKnown(generation)).toBe(-1);
  });

  it('has those by which few of its users are listed without a look at the others', async () => {
    const first = await log.start('first');
    await first.reaches('1');
    await first.stop();
    const generation = await begunBuild(log.pool);
    const client = await log.pool.connect();
    await client.query(
      `insert into tenure.user_role (generation, user_id, role, plan, status, snapshot, successors, counter, position,
         changed_at, history_seq, catalog, next_at)
       select $1::int, 'u' || n, 'paid', 'plus', case when n % 500 = 0 then 'past_due' else 'active' end, p.default_snapshot,
         '[]', 1, 1, now(), 1, 1, now() + interval '1 day'
       from generate_series(1, 30000) as n, tenure.plan_catalog p`,
      [generation],
    );
    await client.query('select pg_stat_force_next_flush()');
    client.release();
    await log.pool.query('update tenure.live_generation set generation = $1', [generation]);
    const lookedAt = async (): Promise<number> => {
      const read: number[] = [];
      const query = async (text: string, values: unknown[]): Promise<unknown> => {
        const { rows } = await log.pool.query(`explain (analyze, format json) ${text}`, values);
        read.push(rowsRead(rows[0]['QUERY PLAN'][0].Plan));
        return { rows: [] };
      };
      const filter = { role: 'paid', plan: null, status: 'past_due' } as const;
      await new UserListReader({ query } as unknown as pg.Pool).page(filter, null, 100);
      return read.reduce((sum, rows) => sum + rows);
    };
    expect(await lookedAt()).toBeGreaterThan(20_000);
    await gatherStatistics(log.pool, generation);
    expect(await lookedAt()).toBeLessThan(200);
  });

  it('is compared of some users by looking for them alone', async () => {
    const first = await log.start('first');
    await first.reaches('1');
    await first.stop();
    const to = await begunBuild(log.pool);
    await log.pool.query(
      `insert into tenure.user_role (generation, user_id, role, plan, status, snapshot, successors, counter, position,
         changed_at, history_seq, catalog)
       select g, 'u' || n, 'paid', 'plus', 'active', p.default_snapshot, '[]', g, 1, now(), 1, 1
       from unnest(array[1, $1::int]) as g, generate_series(1, 2000) as n, tenure.plan_catalog p`,
      [to],
    );
    const [old, next] = await Promise.all([1, to].map((n) => findGeneration(log.pool, KEY.projection, n)));
    if (old?.fold == null || next?.fold == null) throw new Error('a generation has no fold');
    const some = Array.from({ length: 40 }, (_, n) => `u${n + 1}`);
    const read: number[] = [];
    const seen: string[] = [];
    await compareGenerations(
      {
        query: async (text, values) => {
          const { rows } = await log.pool.query(`explain (analyze, format json) ${text}`, values);
          read.push(rowsRead(rows[0]['QUERY PLAN'][0].Plan));
          return log.pool.query(text, values);
        },
      },
      { from: { generation: 1, fold: old.fold }, to: { generation: to, fold: next.fold }, now: at(day(1)) },
      some,
      async (page) => {
        seen.push(...page.map(({ userId }) => userId));
      },
    );
    expect(seen).toEqual(some);
    // Of each a row in both, and the two catalogues.
    expect(read.reduce((sum, rows) => sum + rows)).toBeLessThanOrEqual(2 * some.length + 2);
  });
});
