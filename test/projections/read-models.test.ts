import pg from 'pg';
import type { LiveCheckpoint } from '../../src/projections/engine/checkpoint.js';
import { NOTHING_SET_ASIDE } from '../../src/projections/engine/set-aside-summary.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { OpsReader } from '../../src/projections/read-models/ops.reader.js';
import { readServed } from '../../src/projections/read-models/served-row.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { ProjectedLog, type Replay, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const STRAIGHT: Replay = { batchSize: 500, sliceSize: 1_000, projector: 'kept' };
const CONFIRMED: LiveCheckpoint = {
  generation: 1,
  liveEpoch: 0,
  checkpoint: {
    handled: '1',
    eventId: null,
    scanned: '1',
    partialProgress: [],
    logicalTime: 0,
    revision: 1,
    events: 1,
    setAside: NOTHING_SET_ASIDE,
    fault: null,
  },
};

function customerSeen(customer: string, userId: string | null, second: number): ToRecord {
  const told = { eventId: `evt_${customer}_${second}`, stripeType: 'customer.updated', created: second };
  return { event: { type: 'CustomerObserved', data: { customer, userId } }, origin: told, at: at(second) };
}

describe('The read models', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)));
  });
  afterEach(() => log.close());

  async function fold(...events: readonly ToRecord[]): Promise<string> {
    const last = await log.record(...events);
    expect(await log.replay(STRAIGHT)).toMatchObject({ outcome: 'idle', checkpoint: { handled: last } });
    return last;
  }

  /** `plan version` of users at a moment, in the order asked. */
  async function shown(userIds: readonly string[], second = day(1)): Promise<readonly string[]> {
    const served = await new EntitlementReader(log.pool, () => at(second)).readMany(userIds);
    return served.map(({ snapshot }) => `${snapshot.plan} ${snapshot.revocationVersion}`);
  }

  /** Lets the next answer of a pool wait; every statement is counted. */
  function watch(pool: pg.Pool): { statements: number; hold: Promise<void> | null } {
    const watched: { statements: number; hold: Promise<void> | null } = { statements: 0, hold: null };
    const ask = pool.query.bind(pool) as (...given: unknown[]) => Promise<unknown>;
    Object.assign(pool, {
      query: async (...given: unknown[]) => {
        watched.statements += 1;
        const { hold } = watched;
        const answer = await ask(...given);
        await hold;
        return answer;
      },
    });
    return watched;
  }

  describe('when an owner changes', () => {
    it('judge the one who had it and the one who has it now in one transaction', async () => {
      await fold(
        sightOf('1', day(0), { userId: 'ann' }),
        sightOf('2', day(0), { userId: 'ann' }),
        sightOf('3', day(0), { userId: 'dan' }),
      );
      expect(await shown(['ann', 'bob'])).toEqual(['plus 1', 'free 0']);
      const link = (subscription: string, userId = 'bob'): ToRecord => ({
        event: { type: 'SubscriptionLinked', data: { subscription, userId, reason: null } },
        origin: null,
        at: at(day(1)),
      });
      await fold(link('sub_1'));
      expect(await shown(['ann', 'bob'])).toEqual(['plus 1', 'plus 1']);
      await fold(link('sub_2'));
      expect(await shown(['ann', 'bob'])).toEqual(['free 2', 'plus 1']);
      await fold(link('sub_3', 'eve'));
      expect(await shown(['dan', 'eve'])).toEqual(['free 2', 'plus 1']);
      const { rows } = await log.pool.query(
        `select xmin::text from tenure.user_role where user_id in ('dan', 'eve')
         union select xmin::text from tenure.projection_checkpoint`,
      );
      expect(rows).toHaveLength(1);
      const { rows: feed } = await log.pool.query(
        `select user_id, version from tenure.revocation_feed where user_id in ('ann', 'bob') order by cursor`,
      );
      expect(feed).toEqual([
        { user_id: 'ann', version: 1 },
        { user_id: 'bob', version: 1 },
        { user_id: 'ann', version: 2 },
      ]);
    });

    it('move all subscriptions of a customer but those with a claim of their own', async () => {
      const customer = 'cus_shared';
      await fold(
        sightOf('1', day(0), { customer }),
        sightOf('2', day(0), { customer, userId: 'own' }),
        customerSeen(customer, 'ann', day(0)),
      );
      expect(await shown(['ann', 'bob', 'own'])).toEqual(['plus 1', 'free 0', 'plus 1']);
      await fold(customerSeen(customer, 'bob', day(1)));
      expect(await shown(['ann', 'bob', 'own'])).toEqual(['free 2', 'plus 1', 'plus 1']);
    });
  });

  describe('when a catalogue comes', () => {
    const USERS = ['u1', 'u2', 'u3', 'u4', 'u5'];
    const second = publication(twoPlans({ free: 'news', plus: 'api' }), day(2));

    it('judge everyone known anew, and show the new default plan to who was never heard of', async () => {
      await fold(
        sightOf('1', day(0), { userId: 'u1' }),
        sightOf('2', day(0), { userId: 'u2', status: 'canceled' }),
      );
      expect(await shown(['u1', 'u2', 'nobody'])).toEqual(['plus 1', 'free 1', 'free 0']);
      await fold(second);
      expect(await shown(['u1', 'u2', 'nobody'])).toEqual(['plus 2', 'free 2', 'free 0']);
      const served = await new EntitlementReader(log.pool, () => at(day(2))).readMany(['u1', 'u2', 'nobody']);
      expect(served.map(({ snapshot }) => snapshot.features)).toEqual([['api', 'news'], ['news'], ['news']]);
    });

    it('start who was named but never judged from the default plan in force', async () => {
      await fold(
        customerSeen('cus_named', 'named', day(0)),
        second,
        sightOf('1', day(3), { customer: 'cus_named', status: 'incomplete' }),
      );
      expect(await shown(['named'], day(3))).toEqual(['free 0']);
    });

    it('end in the same rows when another instance goes on in the middle of it', async () => {
      const a = await log.start('a', { sliceSize: 2 });
      await log.leads('a');
      await a.reaches(await log.record(...USERS.map((userId) => sightOf(userId, day(0), { userId }))));
      const blocker = await openTransaction(log.pool);
      try {
        await blocker.query(`select from tenure.user_role where user_id = 'u4' for update`);
        const last = await log.record(second, sightOf('u5', day(3), { userId: 'u1' }));
        await until('a waits in its second slice', async () => {
          const { rows } = await log.pool.query(
            `select from pg_stat_activity
             where datname = current_database() and application_name = 'a' and wait_event_type = 'Lock'`,
          );
          return rows.length > 0;
        });
        const { rows } = await log.pool.query(
          'select handled::text, within from tenure.projection_checkpoint',
        );
        expect(rows).toEqual([
          { handled: '7', within: expect.stringMatching(/^\[\{"position":"7",.*"after":"u2"\}\]$/) },
        ]);

        const b = await log.start('b', { sliceSize: 2 });
        const stopped = a.stop();
        await log.endSessions('a');
        await stopped;
        await blocker.query('rollback');
        await b.reaches(last);
        await b.reaches('7'); // the publication, whole
        await b.stop(); // it would fold again beside the replay
      } finally {
        blocker.release(true);
      }
      const rows = await log.rows();
      await log.empty();
      await log.replay(STRAIGHT);
      expect(rows).toEqual(await log.rows());
      expect(await shown(USERS, day(3))).toEqual(['plus 2', 'plus 2', 'plus 2', 'plus 2', 'free 3']);
    });
  });

  it.each([1, 500])('have a clock that never goes back, in batches of %d', async (batchSize) => {
    const bought = sightOf('1', day(10), { userId: 'ann' });
    const ended = sightOf('1', day(11), { userId: 'ann', status: 'canceled' });
    await log.record(bought, { ...ended, at: at(day(5)) });
    await log.replay({ ...STRAIGHT, batchSize });
    const [served] = await new EntitlementReader(log.pool, () => at(day(11))).readMany(['ann']);
    expect(served?.snapshot).toMatchObject({
      status: 'canceled',
      revocationVersion: 2,
      changedAt: new Date(at(day(10))).toISOString(),
    });
  });

  it('show a subscription active by what was seen of it last, however long it lives, and never once it has ended', async () => {
    const life = (id: string, ...statuses: readonly string[]) =>
      statuses.map((status, n) => sightOf(id, day(n), { status }));
    await fold(
      ...life('1', 'active', 'past_due', 'past_due', 'active'),
      ...life('2', 'active', 'active', 'past_due'),
      ...life('3', 'canceled', 'active', 'active', 'active'),
      ...life('4', 'incomplete', 'trialing'),
    );
    const ops = new OpsReader(log.source);
    expect(
      [...(await ops.activeSubscriptions(['sub_1', 'sub_2', 'sub_3', 'sub_4', 'sub_5']))].sort(),
    ).toEqual(['sub_1', 'sub_4']);
  });

  it('list what belongs to nobody and what facts disagree about, page by page', async () => {
    await fold(
      sightOf('1', day(0)),
      sightOf('2', day(0), { customer: null }),
      sightOf('3', day(0), { userId: 'ann' }),
      sightOf('4', day(0), { userId: 'ann' }),
      customerSeen('cus_4', 'bob', day(0)),
      customerSeen('cus_5', null, day(0)),
    );
    const ops = new OpsReader(log.source);
    const unlinked = [
      { kind: 'customer', id: 'cus_1', customer: null },
      { kind: 'customer', id: 'cus_5', customer: null },
      { kind: 'subscription', id: 'sub_1', customer: 'cus_1' },
      { kind: 'subscription', id: 'sub_2', customer: null },
    ];
    expect(await ops.unlinked(null, 10)).toEqual({ items: unlinked, next: null });
    const first = await ops.unlinked(null, 3);
    expect(first.items).toEqual(unlinked.slice(0, 3));
    expect(await ops.unlinked(first.next, 3)).toEqual({ items: unlinked.slice(3), next: null });

    const { items } = await ops.conflicts(null, 10);
    expect(items).toEqual([
      {
        kind: 'customer',
        id: 'cus_4',
        owner: 'bob',
        claims: [{ userId: 'ann', eventId: expect.any(String) }],
      },
    ]);
    await fold({
      event: { type: 'CustomerLinked', data: { customer: 'cus_1', userId: 'cleo', reason: null } },
      origin: null,
      at: at(day(1)),
    });
    expect((await ops.unlinked(null, 10)).items).toEqual([unlinked[1], unlinked[3]]);
    expect((await ops.conflicts('customer:cus_4', 10)).items).toEqual([]);
  });

  describe('are read', () => {
    let now: number;
    let reader: EntitlementReader;
    beforeEach(async () => {
      await fold(
        sightOf('1', day(0), { userId: 'ann', cancelAt: day(10) }),
        sightOf('2', day(0), { userId: 'bob' }),
      );
      now = at(day(1));
      reader = new EntitlementReader(log.pool, () => now);
      reader.confirmed(CONFIRMED, false, 0);
    });

    it('by a plan that a connection makes once, which looks each user up by a key however small the tables were', async () => {
      const client = new pg.Client(log.url);
      await client.connect();
      try {
        // Then a plan counts for nothing, as it does beside reads of tables that are large.
        await client.query('set cpu_operator_cost = 0.000001');
        for (let count = 0; count < 8; count += 1) await readServed(client, ['u_1'], Date.now);
        const { rows: plans } = await client.query<{ custom: number; generic: number }>(
          `select custom_plans::int as custom, generic_plans::int as generic from pg_prepared_statements
           where name = 'tenure-read-entitlements'`,
        );
        expect(plans).toEqual([{ custom: 5, generic: 3 }]);
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(
          `explain execute "tenure-read-entitlements" ('{u_1}')`,
        );
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
        for (const table of ['user_role_g1', 'revocation_offset', 'faulted_user_g1', 'plan_change_g1']) {
          expect(plan).toMatch(new RegExp(` on ${table} .*\n.*Index Cond: .*\\(user_id = q\\.user_id\\)`));
        }
      } finally {
        await client.end();
      }
    });

    it('from memory until a second after the checkpoint was confirmed, however late word of it came', async () => {
      await reader.read('ann');
      reader.confirmed(CONFIRMED, false, 999);
      expect(reader.peek('ann')).not.toBeNull();
      reader.confirmed(CONFIRMED, false, 1_000);
      expect(reader.peek('ann')).toBeNull();
    });

    it('by the clock through what was stored to follow, from memory too', async () => {
      expect((await reader.read('ann')).snapshot).toMatchObject({
        plan: 'plus',
        revocationVersion: 1,
        validUntil: new Date(at(day(10))).toISOString(),
      });
      now = at(day(10)) - 1;
      reader.confirmed(CONFIRMED, false, 0);
      expect(reader.peek('ann')?.snapshot.plan).toBe('plus');
      now += 1;
      expect(reader.peek('ann')).toBeNull();
      const over = await reader.read('ann');
      expect(over.snapshot).toMatchObject({
        plan: 'free',
        status: 'canceled',
        revocationVersion: 2,
        changedAt: new Date(at(day(10))).toISOString(),
      });
      expect(reader.peek('ann')).toBe(over);
      expect(await shown(['ann', 'bob'], day(9))).toEqual(['plus 1', 'plus 1']);
      expect(await shown(['ann', 'bob'], day(11))).toEqual(['free 2', 'plus 1']);
    });

    it('with one statement for all that is asked in one turn', async () => {
      const watched = watch(log.pool);
      const served = await Promise.all(['ann', 'bob', 'ann', 'nobody'].map((userId) => reader.read(userId)));
      expect(served.map(({ userId }) => userId)).toEqual(['ann', 'bob', 'ann', 'nobody']);
      expect(watched.statements).toBe(1);
    });

    it('from the database, and not from what instances share, while the commit that changed its user is not confirmed', async () => {
      const shares = { offer: () => undefined, changed: () => undefined, confirmed: () => undefined };
      const asked: string[] = [];
      const before = await reader.readMany(['ann', 'bob']);
      const shared = new EntitlementReader(log.pool, () => now, {
        ...shares,
        find: async (userIds) => {
          asked.push(...userIds);
          return new Map(
            before.filter(({ userId }) => userIds.includes(userId)).map((each) => [each.userId, each]),
          );
        },
      });
      shared.confirmed(CONFIRMED, false, 0);
      await fold(sightOf('1', day(1), { userId: 'ann', status: 'canceled', endedAt: day(1) }));
      shared.changed(['ann']);
      expect((await shared.read('ann')).snapshot.plan).toBe('free');
      expect((await shared.read('bob')).etag).toBe(before[1]?.etag);
      expect(asked).toEqual(['ann', 'bob']);
    });

    it('from memory only while the checkpoint was confirmed within the last second', async () => {
      const before = await reader.read('ann');
      const watched = watch(log.pool);
      now += 999;
      expect(await reader.read('ann')).toMatchObject({
        etag: before.etag,
        position: CONFIRMED.checkpoint.handled,
      });
      expect(watched.statements).toBe(0);
      now += 1;
      expect(reader.peek('ann')).toBeNull();
      expect(await reader.read('ann')).toMatchObject({ position: '3' });
      expect(watched.statements).toBe(1);
      reader.confirmed({ ...CONFIRMED, checkpoint: { ...CONFIRMED.checkpoint, handled: '3' } }, false, 0);
      await reader.read('ann');
      expect(watched.statements).toBe(1);
    });

    it.each<[string, (reader: EntitlementReader) => void]>([
      ['of its user', (each) => each.changed(['ann'])],
      ['of all users', (each) => each.changed('all')],
      ['by another instance', (each) => each.confirmed(CONFIRMED, true, 0)],
    ])('from the database, and not from memory, across a commit %s', async (_, committed) => {
      const kept = await reader.read('ann');
      const watched = watch(log.pool);
      let answer: () => void = () => undefined;
      watched.hold = new Promise((resolve) => {
        answer = resolve;
      });
      const under = reader.readMany(['ann']);
      watched.hold = null;
      await fold(sightOf('1', day(1), { userId: 'ann', status: 'canceled' }));
      expect(reader.peek('ann')).toBe(kept);
      committed(reader);
      expect(reader.peek('ann')).toBeNull();
      answer();
      expect((await under)[0]?.snapshot.userId).toBe('ann');
      expect(reader.peek('ann')).toBeNull();
      expect((await reader.read('ann')).snapshot).toMatchObject({ plan: 'free', revocationVersion: 2 });
    });

    it('from memory only of one generation: a later swap drops the rest, and word from before it confirms nothing', async () => {
      const after = { ...CONFIRMED, liveEpoch: 1 };
      await reader.read('ann');
      await log.pool.query('update tenure.live_generation set swaps = 1');
      expect(reader.peek('ann')).not.toBeNull();
      await reader.read('bob');
      expect([reader.peek('ann'), reader.peek('bob')]).toEqual([null, null]);
      reader.confirmed(CONFIRMED, false, 0);
      expect(reader.peek('bob')).toBeNull();
      reader.confirmed(after, false, 0);
      expect([reader.peek('ann'), reader.peek('bob')?.userId]).toEqual([null, 'bob']);
      reader.confirmed({ ...CONFIRMED, liveEpoch: 2 }, false, 0);
      expect(reader.peek('bob')).toBeNull();
    });

    it('from memory by who follows but for whom a commit changed', async () => {
      const leader = await log.start('a');
      await log.leads('a');
      const follower = await log.start('b');
      await follower.reaches('3');
      await until('b follows', () => follower.engine.status().state === 'standby');
      const kept = await follower.reader.read('ann');
      await follower.reader.read('bob');
      const last = await log.record(sightOf('2', day(2), { userId: 'bob', status: 'canceled' }));
      await Promise.all([leader.reaches(last), follower.reaches(last)]);
      await until('ann is served from memory', () => follower.reader.peek('ann') === kept);
      expect(follower.reader.peek('bob')).toBeNull();
      expect((await follower.reader.read('bob')).snapshot.plan).toBe('free');
    });

    it('right on the instance that leads and on one that follows, once it reached the position', async () => {
      const instances = [await log.start('a'), await log.start('b')];
      await until('somebody leads', () => log.leader());
      for (const [n, status] of ['past_due', 'active', 'canceled'].entries()) {
        const last = await log.record(sightOf('2', day(2) + n, { userId: 'bob', status }));
        for (const { reaches, reader: own } of instances) {
          await reaches(last);
          const { snapshot, position } = await own.read('bob');
          expect([snapshot.status, position]).toEqual([status, last]);
          expect((await own.read('bob')).snapshot).toEqual(snapshot);
        }
      }
    });
  });
});
