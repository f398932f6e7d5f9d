import pg from 'pg';
import { judge } from '../../src/policy/judge.js';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import {
  type ListedUser,
  type UserFilter,
  UserListReader,
} from '../../src/projections/read-models/user-list.reader.js';
import { at, day } from '../support/policy-stories.js';
import { ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const EVERYONE: UserFilter = { role: null, plan: null, status: null };
const OPS = { actor: 'ops', reason: 'a test' };

/** Gives every plus user another status, so that each sees a change. */
const OVERDUE: FoldingRules = {
  codeVersion: 'other',
  judge: (facts, catalog, now) => {
    const judgement = judge(facts, catalog, now);
    const { entitlement } = judgement;
    const status = entitlement.status === 'active' ? 'past_due' : entitlement.status;
    return { ...judgement, entitlement: { ...entitlement, status } };
  },
};

describe('The list of users', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(() => log.close());

  async function fold(...given: readonly ToRecord[]): Promise<void> {
    await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)), ...given);
    await log.replay({ batchSize: 100, sliceSize: 100, projector: 'kept' });
  }

  /** Every user of the list at a second, page by page. */
  async function listed(
    filter: Partial<UserFilter>,
    second: number,
    limit = 2,
  ): Promise<readonly ListedUser[]> {
    const reader = new UserListReader(log.pool, () => at(second));
    const users: ListedUser[] = [];
    for (let cursor: string | null = null; ; ) {
      const { items, next } = await reader.page({ ...EVERYONE, ...filter }, cursor, limit);
      expect(items.length).toBeLessThanOrEqual(limit);
      users.push(...items);
      if (next === null) return users;
      cursor = next;
    }
  }

  async function idsOf(filter: Partial<UserFilter>, second: number): Promise<readonly string[]> {
    return (await listed(filter, second)).map(({ userId }) => userId);
  }

  it('goes by what the clock says, also when nobody has written it yet', async () => {
    await fold(
      sightOf('1', day(0), { userId: 'ann' }),
      sightOf('2', day(0), { userId: 'bob', cancelAt: day(5) }),
      sightOf('3', day(0), { userId: 'cleo', status: 'canceled' }),
      sightOf('4', day(0), { userId: 'dan', cancelAt: day(7) }),
      sightOf('5', day(0), { userId: 'eve', status: 'past_due' }),
    );
    const active = { status: 'active' } as const;
    expect(await idsOf({}, day(1))).toEqual(['ann', 'bob', 'cleo', 'dan', 'eve']);
    expect(await idsOf(active, day(1))).toEqual(['ann', 'bob', 'dan']);
    expect(await idsOf({ status: 'canceled' }, day(1))).toEqual(['cleo']);
    expect(await idsOf(active, day(5))).toEqual(['ann', 'dan']);
    expect(await idsOf({ status: 'canceled' }, day(5))).toEqual(['bob', 'cleo']);
    expect(await idsOf({ plan: 'free', role: 'free' }, day(7))).toEqual(['bob', 'cleo', 'dan', 'eve']);
    expect(await idsOf({ plan: 'plus' }, day(7))).toEqual(['ann']);
    expect(await idsOf({ plan: 'plus', status: 'canceled' }, day(7))).toEqual([]);
    const [, bob] = await listed({}, day(5));
    expect(bob).toMatchObject({ revocationVersion: 2, changedAt: new Date(at(day(5))).toISOString() });
  });

  it('goes by the last of several changes by time that are due', async () => {
    await fold(sightOf('1', day(0), { userId: 'fay', status: 'past_due', cancelAt: day(9) }));
    expect(await listed({ plan: 'free' }, day(8))).toMatchObject([{ userId: 'fay', status: 'past_due' }]);
    expect(await idsOf({ status: 'canceled' }, day(8))).toEqual([]);
    expect(await idsOf({ status: 'canceled' }, day(10))).toEqual(['fay']);
    expect(await idsOf({ status: 'past_due' }, day(10))).toEqual([]);
  });

  it('says of everyone what their snapshot says, at any moment', async () => {
    await fold(
      sightOf('1', day(0), { userId: 'ann', status: 'trialing', trialEnd: day(2) }),
      sightOf('2', day(0), { userId: 'bob', cancelAt: day(5) }),
      sightOf('3', day(0), { userId: 'zoë 1/2', status: 'past_due' }),
    );
    await log.pool.query(`insert into tenure.revocation_offset values ('bob', 3), ('nobody', 7)`);
    for (const second of [day(0), day(2), day(3) + 1, day(5), day(9)]) {
      const instance = await log.start(`at-${second}`, { now: () => at(second) });
      const users = await listed({}, second, 1);
      const served = await instance.reader.readMany(users.map(({ userId }) => userId));
      expect(users).toHaveLength(3);
      for (const [n, user] of users.entries()) expect(served[n]?.snapshot).toMatchObject(user);
      await instance.stop();
    }
  });

  it('pages in the order of ids by code point, without a gap or a repeat', async () => {
    const names = ['B', 'a', 'b', 'aa', 'é', '~', 'Z', '🙂', 'a b', "o'x", 'a%b'];
    await fold(...names.map((userId, n) => sightOf(String(n), day(0), { userId })));
    const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const limit of [1, 3, 11, 100]) {
      expect((await listed({ role: 'paid' }, day(1), limit)).map(({ userId }) => userId)).toEqual(sorted);
    }
  });

  it('shows one generation on a page, whatever is swapped meanwhile', async () => {
    const names = Array.from({ length: 60 }, (_, n) => `user ${n}`);
    await fold(...names.map((userId, n) => sightOf(String(n), day(0), { userId })));
    const a = await log.start('a', { rules: OVERDUE, now: () => at(day(1)), patienceMs: 20_000 });
    await a.rebuilds.rebuild({ ...OPS, afterwards: 'keep' }, () => undefined);
    let statements = 0;
    const counted = new Proxy(log.pool, {
      get: (pool, name) => {
        if (name === 'query') statements += 1;
        const value: unknown = Reflect.get(pool, name);
        return typeof value === 'function' ? value.bind(pool) : value;
      },
    });
    const reader = new UserListReader(counted, () => at(day(1)));
    const looks = new Set<string>();
    const lookNow = async (): Promise<void> => {
      statements = 0;
      const { items } = await reader.page(EVERYONE, null, 100);
      expect(statements).toBe(1);
      expect(items).toHaveLength(names.length);
      const kinds = new Set(items.map(({ status, revocationVersion }) => `${status} ${revocationVersion}`));
      expect(kinds.size).toBe(1);
      for (const kind of kinds) looks.add(kind);
    };
    await lookNow();
    let over = false;
    const looking = (async () => {
      while (!over) await lookNow();
    })();
    for (let n = 0; n < 6; n += 1) {
      await a.rebuilds.swap(n % 2 === 0 ? 2 : 1, OPS);
    }
    over = true;
    await looking;
    await until('the last swap to be seen', async () => {
      await lookNow();
      return looks.has('active 7');
    });
    expect(looks.size).toBeGreaterThan(1);
  });

  it('is read along an index of what is asked for, no further than the page', async () => {
    await fold(sightOf('0', day(0), { userId: 'first' }));
    // Pools of the code under test end what takes long.
    const patient = new pg.Client({ connectionString: log.url });
    await patient.connect();
    await patient.query(
      `insert into tenure.user_role (generation, user_id, role, plan, status, snapshot, successors, next_at, counter,
         position, changed_at, history_seq)
       select 1, 'user ' || n, case when n % 5000 = 0 then 'vip' else role end,
         case when n % 5000 = 1 then 'vip' else plan end, case when n % 5000 = 2 then 'paused' else status end,
         snapshot, successors, next_at, counter, position, changed_at, history_seq
       from tenure.user_role, generate_series(1, 100000) as n where user_id = 'first'`,
    );
    await patient.query('analyze tenure.user_role');
    await patient.end();
    for (const filter of [
      {},
      { role: 'vip' },
      { plan: 'vip' },
      { status: 'paused' },
      { role: 'vip', plan: 'x' },
    ]) {
      const read = await rowsRead(filter as Partial<UserFilter>);
      expect([filter, read]).toEqual([filter, expect.any(Number)]);
      expect(read).toBeLessThanOrEqual(25);
    }
  });

  /** Rows that one page of 10 takes out of the table, those that are thrown away included. */
  async function rowsRead(filter: Partial<UserFilter>): Promise<number> {
    const client = await log.pool.connect();
    let rows = 0;
    const query = client.query.bind(client);
    const explaining = {
      query: async (text: string, values: readonly unknown[]) => {
        const { rows: plans } = await query(`explain (analyze, format json) ${text}`, [...values]);
        rows = tableRows(plans[0]['QUERY PLAN'][0].Plan);
        return query(text, [...values]);
      },
    };
    try {
      const reader = new UserListReader(explaining as unknown as typeof log.pool, () => at(day(1)));
      const { items } = await reader.page({ ...EVERYONE, ...filter }, null, 10);
      if (Object.keys(filter).length < 2) expect(items).toHaveLength(10);
      return rows;
    } finally {
      client.release();
    }
  }
});

/** Rows that the scans of `user_role` under a node of a plan read. */
function tableRows(node: Record<string, unknown>): number {
  const own = String(node['Relation Name'] ?? '').startsWith('user_role')
    ? Number(node['Actual Rows']) + Number(node['Rows Removed by Filter'] ?? 0)
    : 0;
  const below = (node.Plans ?? []) as readonly Record<string, unknown>[];
  return below.reduce((sum, each) => sum + tableRows(each), own);
}
