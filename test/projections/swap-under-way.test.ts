import type pg from 'pg';
import { judge } from '../../src/policy/judge.js';
import { type FoldingRules, RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import type { Served } from '../../src/projections/entitlements/snapshot.js';
import { beginGeneration } from '../../src/projections/rebuild/generation-table.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const USERS = Array.from({ length: 40 }, (_, n) => `user ${n}`);
const EVENTS = USERS.length + 1;

/** Gives every plus user another feature, so that each sees a change. */
const WITH_API: FoldingRules = {
  codeVersion: 'other',
  judge: (facts, _, now) => judge(facts, twoPlans({ free: 'reports', plus: 'api' }), now),
};

describe('While generations come and go', () => {
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
    await first.reaches(String(EVENTS));
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

  /** A connection in a transaction; given up in the end whatever the test came to. */
  async function transaction(mode = 'read committed'): Promise<pg.PoolClient> {
    const client = await openTransaction(log.pool, mode);
    clients.push(client);
    return client;
  }

  async function rebuild({ rebuilds: generations }: Instance, afterwards: 'swap' | 'keep' = 'swap') {
    return generations.rebuild({ ...OPS, afterwards }, () => undefined);
  }

  /** The feature and version of a plus user: they go together, or generations are mixed. */
  function lookOf({ snapshot }: Served): string {
    return `${snapshot.features.filter((feature) => feature !== 'reports').join()} ${snapshot.revocationVersion}`;
  }

  it('a read sees one of them, on every instance, from memory and from the database, and never the old one again', async () => {
    const instances = [await start('a'), await start('b')];
    const [a] = instances as [Instance];
    for (const instance of instances) await instance.reaches(String(EVENTS));
    await rebuild(a, 'keep');
    // The swap moves both revisions by one: the new one becomes what the old one was, and must not be taken for it.
    await log.pool.query(
      `update tenure.projection_checkpoint set revision = (
         select revision - 1 from tenure.projection_checkpoint where generation = 1
       ) where generation = 2`,
    );

    let over = false;
    const looks = instances.map(async ({ reader }) => {
      const seen: string[] = [];
      while (!over) {
        const many = new Set((await reader.readMany(USERS)).map(lookOf));
        expect(many.size).toBe(1);
        seen.push(...many);
        for (const userId of USERS) seen.push(lookOf(reader.peek(userId) ?? (await reader.read(userId))));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return seen;
    });
    const swapped = await a.rebuilds.swap(2, OPS);
    expect(swapped.changed).toBe(USERS.length);
    await until('every instance shows the new one from memory', () =>
      instances.every(({ reader }) =>
        USERS.every((user) => reader.peek(user)?.snapshot.features[0] === 'api'),
      ),
    );
    over = true;
    for (const seen of await Promise.all(looks)) {
      const turn = seen.indexOf('api 2');
      expect(new Set(seen.slice(0, turn))).toEqual(new Set(['export 1']));
      expect(new Set(seen.slice(turn))).toEqual(new Set(['api 2']));
    }
  });

  it('an instance that folds the old one learns of it at its next commit, and loses and repeats nothing', async () => {
    const [a, b] = [
      await start('a', WITH_API, { batchSize: 2 }),
      await start('b', WITH_API, { batchSize: 2 }),
    ];
    await rebuild(a, 'keep');
    const recording = log.record(
      ...USERS.flatMap((userId, n) => [
        sightOf(String(n), day(1), { userId, status: 'past_due' }),
        sightOf(String(n), day(1) + 1, { userId }),
      ]),
    );
    await until('some are folded', () => Number(a.engine.status().handled) > EVENTS + 5);
    await a.rebuilds.swap(2, OPS);
    await recording;
    // By now all of it may be folded into the old one; who comes to this has seen the swap.
    const last = await log.record(sightOf('later', day(1) + 2, { userId: 'later' }));
    for (const each of [a, b]) {
      await each.reaches(last);
      expect(each.engine.status()).toMatchObject({ generation: 2, handled: last });
    }
    const { rows } = await log.pool.query(
      'select generation, handled::text, events::int from tenure.projection_checkpoint where generation = 2',
    );
    expect(rows).toEqual([{ generation: 2, handled: last, events: Number(last) }]);
    // Every version that was served is in the feed once: who was folded by the new code before the swap saw no change by it.
    const feed = await log.pool.query<{ user_id: string; versions: number[] }>(
      'select user_id, array_agg(version order by cursor) as versions from tenure.revocation_feed group by user_id',
    );
    const versions = new Map(feed.rows.map((row) => [row.user_id, row.versions]));
    for (const { userId, snapshot } of await a.reader.readMany(USERS)) {
      const { revocationVersion: version } = snapshot;
      expect([3, 4]).toContain(version);
      expect(versions.get(userId)).toEqual(Array.from({ length: version }, (_, n) => n + 1));
    }
    expect(await a.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
  });

  it('the live one is folded on while a swap compares, and what is folded meanwhile is compared too', async () => {
    const old = await start('old', RUNNING_RULES);
    // All is folded already, so this alone would not tell who leads: another may yet.
    await log.leads('old');
    const a = await start('a');
    await rebuild(a, 'keep');
    await old.reaches(await log.record(sightOf('0', day(1), { userId: 'user 0', status: 'past_due' })));
    const blocker = await transaction();
    await blocker.query('lock table tenure.entitlement_history_g2 in access exclusive mode');
    const swapping = a.rebuilds.swap(2, OPS);
    await until('it waits for what it compares', async () => {
      const { rows } = await log.pool.query(
        `select from pg_locks l join pg_stat_activity s using (pid)
         where l.relation = 'tenure.entitlement_history_g2'::regclass and not l.granted and s.query like 'select distinct user_id%'`,
      );
      return rows.length > 0;
    });
    await old.reaches(
      await log.record(
        sightOf('1', day(1), { userId: 'user 1', status: 'canceled' }),
        sightOf('new', day(1), { userId: 'new user' }),
      ),
    );
    await blocker.query('rollback');
    // Nothing gives user 1 anything any more, by whichever rules; the new one was there in neither when it compared.
    expect(await swapping).toMatchObject({ changed: USERS.length, from: { generation: 1 } });
    const { rows } = await log.pool.query(
      `select user_id, count(*)::int as kept from tenure.swap_history
       where user_id in ('user 0', 'user 1', 'user 2', 'new user') group by user_id order by user_id`,
    );
    expect(rows).toEqual([
      { user_id: 'new user', kept: 1 },
      { user_id: 'user 0', kept: 2 },
      { user_id: 'user 1', kept: 1 },
      { user_id: 'user 2', kept: 1 },
    ]);
    const served = (await a.reader.readMany(['user 1', 'user 2', 'new user'])).map(lookOf);
    expect(served).toEqual([' 2', 'api 2', 'api 2']);
  });

  it('a long read neither waits nor is waited for, and sees one of them to its end', async () => {
    const a = await start('a');
    const long = await transaction('repeatable read');
    const look = async (): Promise<unknown> =>
      (
        await long.query(
          `select (select generation from tenure.live_generation) as live, count(*)::int as users,
             min(snapshot::json#>>'{features,0}') as least, max(snapshot::json#>>'{features,0}') as most
           from tenure.user_role where generation = (select generation from tenure.live_generation)`,
        )
      ).rows;
    const before = await look();
    expect(before).toEqual([{ live: 1, users: USERS.length, least: 'export', most: 'export' }]);
    expect(await rebuild(a)).toMatchObject({ changed: USERS.length });
    expect(await look()).toEqual(before);
    expect((await a.reader.readMany(USERS)).map(lookOf)).toEqual(USERS.map(() => 'api 2'));

    // What the long read looks at goes only after it; who reads meanwhile does not wait.
    let dropped = false;
    const dropping = a.rebuilds.drop(1).then(() => {
      dropped = true;
    });
    await until('the drop waits for the long read', async () => {
      const { rows } = await log.pool.query(
        `select from pg_stat_activity
             where datname = current_database() and application_name = 'a' and wait_event_type = 'Lock'
           and datname = current_database()`,
      );
      return rows.length > 0;
    });
    expect((await a.reader.readMany(USERS)).map(lookOf)).toEqual(USERS.map(() => 'api 2'));
    await a.reaches(await log.record(sightOf('0', day(1), { userId: 'user 0', status: 'canceled' })));
    expect(dropped).toBe(false);
    expect(await look()).toEqual(before);
    await long.query('commit');
    await dropping;
    expect((await a.rebuilds.list()).map(({ generation }) => generation)).toEqual([2]);
  });

  describe('whoever is ended in the middle', () => {
    it('of a build, another goes on from where it was', async () => {
      const generation = await beginGeneration(log.pool, {
        projection: 'entitlements',
        state: 'building',
        startedBy: 'ops',
        reason: 'a test',
        codeVersion: WITH_API.codeVersion,
        order: null,
      });
      const blocker = await transaction();
      await blocker.query(
        `insert into tenure.revocation_version select $1, user_id, counter, raised_at
         from tenure.revocation_version where generation = 1 and user_id = 'user 20'`,
        [generation],
      );
      const a = await start('a', WITH_API, { buildBatchSize: 4 });
      await until('the build waits in the middle', async () => {
        const { rows } = await log.pool.query(
          `select from pg_stat_activity
             where datname = current_database() and application_name = 'a' and wait_event_type = 'Lock'
             and datname = current_database()`,
        );
        return rows.length > 0;
      });
      const b = await start('b', WITH_API, { buildBatchSize: 4 });
      const reached = await log.pool.query<{ events: number }>(
        'select events::int from tenure.projection_checkpoint where generation = $1',
        [generation],
      );
      expect(reached.rows).toEqual([{ events: 21 }]);
      await log.endSessions('a');
      const stopped = a.stop();
      await blocker.query('rollback');
      await stopped;
      await b.rebuilds.untilCaughtUp(generation, () => undefined);
      const { rows } = await log.pool.query(
        'select handled::text, events::int from tenure.projection_checkpoint where generation = $1',
        [generation],
      );
      expect(rows).toEqual([{ handled: String(EVENTS), events: EVENTS }]);
      expect(await b.rebuilds.swap(generation, OPS)).toMatchObject({ changed: USERS.length });
      expect(await b.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
    });

    it('of a swap, nothing of it is there, and it can be done again', async () => {
      const a = await start('a');
      await rebuild(a, 'keep');
      const before = await log.rows();
      for (const table of ['revocation_feed_head', 'swap_history', 'generation_swap']) {
        const blocker = await transaction();
        await blocker.query(`lock table tenure.${table} in exclusive mode`);
        const swapping = a.rebuilds.swap(2, OPS).then(
          () => 'swapped',
          () => 'ended',
        );
        await until(`the swap waits for ${table}`, async () => (await log.endWaiting('a')) > 0);
        expect(await swapping).toBe('ended');
        expect((await a.reader.readMany(USERS)).map(lookOf)).toEqual(USERS.map(() => 'export 1'));
        await blocker.query('rollback');
        expect(await log.rows()).toEqual(before);
        expect(await a.rebuilds.swaps(10)).toEqual([]);
      }
      expect(await a.rebuilds.swap(2, OPS)).toMatchObject({ swap: 1, changed: USERS.length });
      await a.reaches(await log.record(sightOf('0', day(1), { userId: 'user 0', status: 'canceled' })));
      expect((await a.reader.readMany(['user 0']))[0]?.snapshot).toMatchObject({
        plan: 'free',
        revocationVersion: 3,
      });
    });

    it('just after a swap, another serves and folds the new one', async () => {
      const a = await start('a');
      const b = await start('b');
      await rebuild(a);
      await log.endSessions('a');
      await a.stop();
      const last = await log.record(sightOf('0', day(1), { userId: 'user 0', status: 'canceled' }));
      await b.reaches(last);
      expect((await b.reader.readMany(['user 0', 'user 1'])).map(lookOf)).toEqual([' 3', 'api 2']);
      await until('the previous generation is level', async () => {
        const [previous] = await b.rebuilds.list();
        return previous?.fold?.checkpoint.handled === last;
      });
      expect(await b.rebuilds.rollBack(OPS)).toMatchObject({ changed: USERS.length - 1 });
      expect((await b.reader.readMany(['user 0', 'user 1'])).map(lookOf)).toEqual([' 3', 'export 3']);
    });

    it('of a drop, dropping again goes on', async () => {
      const a = await start('a');
      await rebuild(a);
      const long = await transaction('repeatable read');
      await long.query('select from tenure.user_role where generation = 1');
      const dropping = a.rebuilds.drop(1).then(
        () => 'dropped',
        () => 'ended',
      );
      await until('the drop waits', async () => (await log.endWaiting('a')) > 0);
      expect(await dropping).toBe('ended');
      expect((await a.rebuilds.list())[0]).toMatchObject({ generation: 1, role: 'dropping', fold: null });
      await long.query('commit');
      expect((await a.reader.readMany(USERS)).map(lookOf)).toEqual(USERS.map(() => 'api 2'));
      await a.rebuilds.drop(1);
      expect((await a.rebuilds.list()).map(({ generation }) => generation)).toEqual([2]);
      const { rows } = await log.pool.query(
        `select relname from pg_class where relnamespace = 'tenure'::regnamespace and relname like '%\\_g1'`,
      );
      expect(rows).toEqual([]);
      expect(await rebuild(a)).toMatchObject({ changed: 0, to: { generation: 3 } });
    });
  });
});
