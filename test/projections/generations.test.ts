import { judge } from '../../src/policy/judge.js';
import { type FoldingRules, RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { GENERATION_TABLES } from '../../src/projections/read-models/partitions.js';
import {
  BuildOfOtherCodeError,
  GenerationBehindError,
  GenerationFaultedError,
  GenerationIsLiveError,
  NothingToRollBackError,
  RebuildInProgressError,
  UnknownGenerationError,
} from '../../src/projections/rebuild/errors.js';
import { beginGeneration } from '../../src/projections/rebuild/generation-table.js';
import { openTransaction } from '../support/open-transaction.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const CATALOG = twoPlans({ free: 'reports', plus: 'export' });

/** Shows a payment that is due as `active`: other snapshots, and fewer of them. */
const LENIENT: FoldingRules = {
  codeVersion: 'other',
  judge: (facts, catalog, now) => {
    const { entitlement, successors, ...others } = judge(facts, catalog, now);
    const lenient = <E extends typeof entitlement>(each: E): E =>
      each.status === 'past_due' ? { ...each, status: 'active' } : each;
    return {
      entitlement: lenient(entitlement),
      successors: successors.map((each) => ({ ...each, entitlement: lenient(each.entitlement) })),
      ...others,
    };
  },
};

/** Judges by another catalogue than the published one. */
const WITH_API: FoldingRules = {
  codeVersion: 'third',
  judge: (facts, _, now) => judge(facts, twoPlans({ free: 'reports', plus: 'api' }), now),
};

describe('A rebuild', () => {
  let log: ProjectedLog;
  /** Where the clock that is served by stands, from the real one, in milliseconds. */
  let ahead: number;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    ahead = at(day(1)) - Date.now();
    await log.record(
      publication(CATALOG, day(0)),
      sightOf('1', day(0), { userId: 'ann' }),
      sightOf('2', day(0), { userId: 'bob' }),
      sightOf('3', day(0), { userId: 'cleo', status: 'canceled' }),
      sightOf('4', day(0), { userId: 'dan', status: 'past_due' }),
      sightOf('5', day(0), { userId: 'eve', status: 'past_due' }),
      sightOf('5', day(0) + 1, { userId: 'eve', status: 'active' }),
    );
  });
  afterEach(() => log.close());

  function start(name: string, rules = RUNNING_RULES, more: Parameters<typeof log.start>[1] = {}) {
    return log.start(name, { rules, now: () => Date.now() + ahead, patienceMs: 20_000, ...more });
  }

  /** An instance that has folded the log by the rules of this code, and stopped. */
  async function foldedBefore(): Promise<void> {
    const first = await start('first');
    await first.reaches('7');
    await first.stop();
  }

  async function rebuild(instance: Instance, afterwards: 'swap' | 'keep' | 'drop' = 'swap') {
    return instance.rebuilds.rebuild({ ...OPS, afterwards }, () => undefined);
  }

  async function query<Row extends object>(text: string): Promise<readonly Row[]> {
    return (await log.pool.query<Row>(text)).rows;
  }

  /** `plan status version` of every user, from the database. */
  async function served({ reader }: Instance): Promise<Record<string, string>> {
    const users = ['ann', 'bob', 'cleo', 'dan', 'eve'];
    const all = await reader.readMany(users);
    return Object.fromEntries(
      all.map(({ userId, snapshot: { plan, status, revocationVersion } }) => [
        userId,
        `${plan} ${status} ${revocationVersion}`,
      ]),
    );
  }

  /** Lines of the revocation feed after a cursor, as `user version`. */
  async function feedAfter(cursor: number): Promise<readonly string[]> {
    const lines = await query<{ cursor: string; user_id: string; version: number }>(
      'select cursor, user_id, version from tenure.revocation_feed order by cursor',
    );
    expect(lines.map((line) => Number(line.cursor))).toEqual(lines.map((_, n) => n + 1));
    return lines.slice(cursor).map((line) => `${line.user_id} ${line.version}`);
  }

  /** Generations and what they are. */
  async function roles({ rebuilds: generations }: Instance): Promise<Record<number, string>> {
    return Object.fromEntries((await generations.list()).map(({ generation, role }) => [generation, role]));
  }

  /** The tables of a generation that are there, attached or not. */
  async function tablesOf(generation: number): Promise<number> {
    const names = GENERATION_TABLES.map((table) => `'${table}_g${generation}'`).join(', ');
    return (
      await query(
        `select from pg_class where relnamespace = 'tenure'::regnamespace and relname in (${names})`,
      )
    ).length;
  }

  async function isClean({ rebuilds: generations }: Instance): Promise<void> {
    const report = await generations.verify('all', 'test', () => undefined);
    expect(report).toMatchObject({ differences: 0, first: [] });
  }

  describe('by the same code', () => {
    it('changes nothing, twice, and verifies clean', async () => {
      const a = await start('a');
      await a.reaches('7');
      const [before, feed] = [await served(a), (await feedAfter(0)).length];
      // Between them lies the one that the verification made and dropped: no number is used twice.
      for (const generation of [2, 4]) {
        const report = await rebuild(a);
        expect(report).toMatchObject({
          position: '7',
          to: { generation, builtBy: RUNNING_RULES.codeVersion, mixedAfter: null },
          changed: 0,
          detailsOnly: 0,
          first: [],
          defaultChanged: false,
          mixed: null,
        });
        expect(await served(a)).toEqual(before);
        expect(await feedAfter(feed)).toEqual([]);
        expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
        await isClean(a);
      }
      expect(await query('select from tenure.revocation_offset')).toEqual([]);
      expect(await query('select from tenure.swap_history')).toEqual([]);
      expect(await roles(a)).toEqual({ 1: 'previous', 2: 'previous', 4: 'live' });
    });

    it('goes on with what comes after, in every generation that is kept', async () => {
      const a = await start('a');
      await a.reaches('7');
      await rebuild(a);
      const last = await log.record(sightOf('1', day(1), { userId: 'ann', status: 'canceled' }));
      await a.reaches(last);
      expect(await served(a)).toMatchObject({ ann: 'free canceled 2' });
      await until('the previous generation is level', async () => {
        const [previous] = await a.rebuilds.list();
        return previous?.fold?.checkpoint.handled === last;
      });
      expect(await log.rowsOf(1)).toEqual(await log.rowsOf(2));
      expect((await feedAfter(0)).filter((line) => line.startsWith('ann'))).toEqual(['ann 1', 'ann 2']);
    });
  });

  describe('by other code', () => {
    it('tells exactly who changes and how, and raises their versions and no other', async () => {
      await foldedBefore();
      const a = await start('a', LENIENT);
      const before = await served(a);
      expect(before).toEqual({
        ann: 'plus active 1',
        bob: 'plus active 1',
        cleo: 'free canceled 1',
        dan: 'plus past_due 1',
        eve: 'plus active 2',
      });
      const feed = (await feedAfter(0)).length;
      const report = await rebuild(a);
      expect(report).toMatchObject({
        position: '7',
        from: {
          generation: 1,
          builtBy: RUNNING_RULES.codeVersion,
          foldedBy: RUNNING_RULES.codeVersion,
          mixedAfter: null,
        },
        to: { generation: 2, builtBy: 'other', foldedBy: 'other', mixedAfter: null },
        changed: 1,
        byKind: { role: 0, plan: 0, status: 1, features: 0, limits: 0 },
        first: [
          {
            userId: 'dan',
            kinds: ['status'],
            before: { plan: 'plus', status: 'past_due' },
            after: { plan: 'plus', status: 'active' },
            versionBefore: 1,
            versionAfter: 2,
          },
        ],
        mixed: null,
      });
      expect(await served(a)).toEqual({ ...before, dan: 'plus active 2' });
      expect(await feedAfter(feed)).toEqual(['dan 2']);
      await isClean(a);
      // Eve's counter is one less by the new code; her version stays, and goes on from there.
      expect(await query('select user_id, version_offset from tenure.revocation_offset order by 1')).toEqual([
        { user_id: 'dan', version_offset: 1 },
        { user_id: 'eve', version_offset: 1 },
      ]);
      const last = await log.record(sightOf('5', day(1), { userId: 'eve', status: 'canceled' }));
      await a.reaches(last);
      expect(await served(a)).toMatchObject({ eve: 'free canceled 3' });
      expect(await feedAfter(feed)).toEqual(['dan 2', 'eve 3']);
    });

    it('keeps what was served and only the old generation has, and who did it and why', async () => {
      await foldedBefore();
      await log.pool.query(`update tenure.entitlement_history set late_at = 4 where user_id = 'ann'`);
      await log.pool.query(
        `insert into tenure.entitlement_history
         select (jsonb_populate_record(h, '{"seq": 9}')).* from tenure.entitlement_history h where user_id = 'bob'`,
      );
      const a = await start('a', LENIENT);
      await rebuild(a);
      expect(
        await query(
          `select swap, user_id, seq, snapshot::json->>'status' as status from tenure.swap_history order by 2, 3`,
        ),
      ).toEqual([
        { swap: 1, user_id: 'ann', seq: 1, status: 'active' },
        { swap: 1, user_id: 'bob', seq: 9, status: 'active' },
        { swap: 1, user_id: 'dan', seq: 1, status: 'past_due' },
        { swap: 1, user_id: 'eve', seq: 1, status: 'past_due' },
        { swap: 1, user_id: 'eve', seq: 2, status: 'active' },
      ]);
      expect(await query('select * from tenure.swap_user order by user_id')).toEqual([
        { swap: 1, user_id: 'dan', offset_before: 0, offset_after: 1, changed: true },
        { swap: 1, user_id: 'eve', offset_before: 0, offset_after: 1, changed: false },
      ]);
      expect(await a.rebuilds.swaps(10)).toEqual([
        {
          swap: 1,
          kind: 'swap',
          from: 1,
          to: 2,
          position: '7',
          fromCode: RUNNING_RULES.codeVersion,
          toCode: 'other',
          usersChanged: 1,
          ...OPS,
          at: expect.any(Date),
        },
      ]);
    });

    it('by another catalogue changes who has that plan, in features alone', async () => {
      await foldedBefore();
      const a = await start('a', WITH_API);
      const report = await rebuild(a);
      expect(report).toMatchObject({
        changed: 4,
        byKind: { role: 0, plan: 0, status: 0, features: 4, limits: 0 },
        defaultChanged: false,
      });
      expect(report.first.map(({ userId }) => userId)).toEqual(['ann', 'bob', 'dan', 'eve']);
      expect(await served(a)).toEqual({
        ann: 'plus active 2',
        bob: 'plus active 2',
        cleo: 'free canceled 1',
        dan: 'plus past_due 2',
        eve: 'plus active 3',
      });
      await isClean(a);
    });

    it('compares by the clock what is served, not what was last written', async () => {
      await log.record(sightOf('2', day(0) + 1, { userId: 'bob', cancelAt: day(5) }));
      const first = await start('first');
      await first.reaches('8');
      await first.stop();
      // By the clock bob has lost the plan, and another version is served, though nobody has written it.
      ahead = at(day(6)) - Date.now();
      const a = await start('a', WITH_API);
      const report = await rebuild(a);
      expect(report.first.map(({ userId }) => userId)).toEqual(['ann', 'dan', 'eve']);
      expect(report.first[0]).toMatchObject({ versionBefore: 1, versionAfter: 2 });
      const bob = await query<{ version_offset: number }>(
        `select version_offset from tenure.revocation_offset where user_id = 'bob'`,
      );
      expect(bob).toEqual([]);
    });

    it('never goes past what is read: held still, it is compared and swapped at that very event', async () => {
      await foldedBefore();
      const holder = await openTransaction(log.pool);
      try {
        await holder.query('select from tenure.projection_checkpoint where generation = 1 for update');
        const a = await start('a', LENIENT, { patienceMs: 20_000 });
        const last = await log.record(sightOf('1', day(1), { userId: 'ann', status: 'past_due' }));
        const generation = await a.rebuilds.begin(OPS);
        await a.rebuilds.untilCaughtUp(generation, () => undefined);
        await until('the runner of rebuilds finds nothing more to fold', async () => {
          const { rows } = await log.pool.query(
            `select from pg_stat_activity
             where datname = current_database() and application_name = 'a' and wait_event_type = 'Lock'`,
          );
          return rows.length > 0;
        });
        const [, build] = await a.rebuilds.list();
        expect(build?.fold?.checkpoint.handled).toBe('7');
        await holder.query('commit');
        await a.reaches(last);
        expect(await a.rebuilds.swap(generation, OPS)).toMatchObject({ position: last, mixed: null });
      } finally {
        holder.release(true);
      }
    });

    it('that only asks changes nothing and drops what it built, unless asked to keep it', async () => {
      await foldedBefore();
      const a = await start('a', LENIENT);
      const before = await log.rows();
      expect(await rebuild(a, 'drop')).toMatchObject({ changed: 1 });
      expect(await roles(a)).toEqual({ 1: 'live' });
      expect(await tablesOf(2)).toBe(0);
      expect(await log.rows()).toEqual(before);

      expect(await rebuild(a, 'keep')).toMatchObject({ changed: 1, to: { generation: 3 } });
      expect(await roles(a)).toEqual({ 1: 'live', 3: 'building' });
      expect(await served(a)).toMatchObject({ dan: 'plus past_due 1' });
      expect(await a.rebuilds.swap(3, OPS)).toMatchObject({ swap: 1, kind: 'swap', changed: 1 });
      expect(await served(a)).toMatchObject({ dan: 'plus active 2' });
    });
  });

  describe('is rolled back', () => {
    it('to what was served, with versions that go on, and back again', async () => {
      await foldedBefore();
      const a = await start('a', LENIENT);
      await expect(a.rebuilds.rollBack(OPS)).rejects.toThrow(NothingToRollBackError);
      await rebuild(a);
      const feed = (await feedAfter(0)).length;
      expect(await a.rebuilds.compareRollBack()).toMatchObject({ changed: 1, mixed: null });
      const report = await a.rebuilds.rollBack({ actor: 'eva', reason: 'too lenient' });
      expect(report).toMatchObject({
        kind: 'rollback',
        swap: 2,
        from: { generation: 2, builtBy: 'other' },
        to: { generation: 1, builtBy: RUNNING_RULES.codeVersion },
        first: [
          { userId: 'dan', before: { status: 'active' }, after: { status: 'past_due' }, versionAfter: 3 },
        ],
        mixed: null,
      });
      expect(await served(a)).toMatchObject({ dan: 'plus past_due 3', eve: 'plus active 2' });
      expect(await roles(a)).toEqual({ 1: 'live', 2: 'previous' });
      await a.rebuilds.rollBack(OPS);
      expect(await served(a)).toMatchObject({ dan: 'plus active 4', eve: 'plus active 2' });
      expect(await feedAfter(feed)).toEqual(['dan 3', 'dan 4']);
      expect(await a.rebuilds.swaps(10)).toMatchObject([
        { kind: 'rollback', from: 1, to: 2, fromCode: RUNNING_RULES.codeVersion, toCode: 'other' },
        { kind: 'rollback', from: 2, to: 1, actor: 'eva', reason: 'too lenient' },
        { kind: 'swap' },
      ]);
    });

    it('with a report of whom other code has changed there since', async () => {
      await foldedBefore();
      const a = await start('a', LENIENT);
      await rebuild(a);
      const last = await log.record(
        sightOf('2', day(1), { userId: 'bob', status: 'past_due' }),
        sightOf('1', day(1), { userId: 'ann' }),
      );
      await a.reaches(last);
      const report = await a.rebuilds.rollBack(OPS);
      expect(report).toMatchObject({
        to: { generation: 1, builtBy: RUNNING_RULES.codeVersion, foldedBy: 'other', mixedAfter: '7' },
        mixed: { after: '7' },
      });
      expect(report.mixed?.first).not.toContain('dan');
      const { rows } = await log.pool.query(
        'select distinct user_id from tenure.entitlement_history where generation = 1 and position > 7 order by 1',
      );
      expect(report.mixed?.first).toEqual(rows.map(({ user_id: userId }) => userId));
      expect(report.mixed?.users).toBe(rows.length);
    });

    it('never to what is dropped', async () => {
      const a = await start('a');
      await a.reaches('7');
      await rebuild(a);
      await expect(a.rebuilds.drop(2)).rejects.toThrow(GenerationIsLiveError);
      await a.rebuilds.drop(1);
      await expect(a.rebuilds.rollBack(OPS)).rejects.toThrow(NothingToRollBackError);
      await expect(a.rebuilds.swap(1, OPS)).rejects.toThrow(UnknownGenerationError);
      await expect(a.rebuilds.drop(1)).rejects.toThrow(UnknownGenerationError);
      expect(await tablesOf(1)).toBe(0);
    });
  });

  describe('is refused', () => {
    it('while there is one, with who asked for it', async () => {
      const a = await start('a');
      const b = await start('b');
      await a.reaches('7');
      const asked = await Promise.allSettled([
        a.rebuilds.begin({ actor: 'ann', reason: 'one' }),
        b.rebuilds.begin({ actor: 'ann', reason: 'other' }),
      ]);
      const refused = asked.filter((each) => each.status === 'rejected');
      expect(refused).toHaveLength(1);
      expect(refused[0]?.reason).toBeInstanceOf(RebuildInProgressError);
      expect(refused[0]?.reason).toMatchObject({
        code: 'rebuild_in_progress',
        generation: 2,
        startedBy: 'ann',
      });
      await a.rebuilds.drop(2);
      expect(await b.rebuilds.begin(OPS)).toBe(3);
    });

    it('when nobody folds it, and nothing is changed', async () => {
      await foldedBefore();
      const a = await start('a', RUNNING_RULES, { patienceMs: 300 });
      await a.reaches('7');
      const generation = await beginGeneration(log.pool, {
        projection: 'entitlements',
        state: 'building',
        startedBy: 'a service that is gone',
        reason: 'an upgrade',
        codeVersion: LENIENT.codeVersion,
        order: null,
      });
      const before = await log.rows();
      await expect(a.rebuilds.untilCaughtUp(generation, () => undefined)).rejects.toThrow(
        BuildOfOtherCodeError,
      );
      await expect(a.rebuilds.swap(generation, OPS)).rejects.toThrow(GenerationBehindError);
      await expect(a.rebuilds.swap(1, OPS)).rejects.toThrow(GenerationIsLiveError);
      expect(await log.rows()).toEqual(before);
      expect(await query('select swaps from tenure.live_generation')).toEqual([{ swaps: 0 }]);
    });

    it('when it stops at a fault, and what is read goes on', async () => {
      await foldedBefore();
      const failing: FoldingRules = {
        codeVersion: 'failing',
        judge: (facts, catalog, moment) => {
          const judgement = judge(facts, catalog, moment);
          if (judgement.entitlement.status === 'canceled') throw new RangeError('not with me');
          return judgement;
        },
      };
      const a = await start('a', failing, { faultLimit: 0 });
      const generation = await a.rebuilds.begin(OPS);
      await expect(a.rebuilds.untilCaughtUp(generation, () => undefined)).rejects.toThrow(
        GenerationFaultedError,
      );
      await expect(a.rebuilds.swap(generation, OPS)).rejects.toMatchObject({
        code: 'generation_faulted',
        fault: { position: '4', message: expect.stringContaining('not with me') },
      });
      await a.reaches(await log.record(sightOf('1', day(1), { userId: 'ann', status: 'past_due' })));
      expect(await served(a)).toMatchObject({ ann: 'plus past_due 2' });
      await a.rebuilds.drop(generation);
      expect(await roles(a)).toEqual({ 1: 'live' });
    });
  });

  describe('is verified', () => {
    it('by every row, with those that differ told in full', async () => {
      const a = await start('a');
      await a.reaches('7');
      await isClean(a);
      await log.pool.query(
        `update tenure.user_role set counter = 7 where generation = 1 and user_id = 'ann'`,
      );
      await log.pool.query(`delete from tenure.entitlement_history where user_id = 'bob'`);
      await log.pool.query(`update tenure.customer set owner = 'zoe' where customer = 'cus_3'`);
      await log.pool.query('update tenure.logical_time set now_ms = now_ms + 1 where position = 1');
      await log.pool.query(`update tenure.subscription set owner = null where subscription = 'sub_1'`);
      await log.pool.query(
        `insert into tenure.revocation_version (generation, user_id, counter, raised_at) values (1, 'zoe', 1, now())`,
      );
      const report = await a.rebuilds.verify('all', 'test', () => undefined);
      expect(report).toMatchObject({
        position: '7',
        generation: 1,
        users: null,
        differences: 10,
        byTable: {
          user_role: 2,
          revocation_version: 1,
          entitlement_history: 1,
          customer: 2,
          subscription: 2,
          subscription_fact: 0,
          logical_time: 2,
        },
      });
      expect(report.first).toContainEqual({
        table: 'user_role',
        found: 'in the live generation',
        row: expect.objectContaining({ user_id: 'ann', counter: 7 }),
      });
      expect(await roles(a)).toEqual({ 1: 'live' });
      expect(await tablesOf(2)).toBe(0);
    });

    it('by a sample of users', async () => {
      const a = await start('a');
      await a.reaches('7');
      await log.pool.query(`update tenure.user_role set counter = counter + 1 where generation = 1`);
      expect(await a.rebuilds.verify(2, 'test', () => undefined)).toMatchObject({
        users: 2,
        differences: 4,
        byTable: { user_role: 4, revocation_version: 0 },
      });
    });

    it('by a sample of users with the facts that have to do with them, and no others', async () => {
      const a = await start('a');
      await a.reaches(await log.record(sightOf('6', day(0) + 2)));
      await log.pool.query(`update tenure.customer set owner = 'zoe' where customer = 'cus_3'`);
      await log.pool.query(`delete from tenure.user_stream where user_id = 'dan'`);
      await log.pool.query(`update tenure.subscription set owner = 'zoe' where subscription = 'sub_6'`);
      const { differences, byTable, users } = await a.rebuilds.verify(5, 'test', () => undefined);
      expect({ differences, users }).toEqual({ differences: 3, users: 5 });
      expect(byTable).toMatchObject({ customer: 2, user_stream: 1, subscription: 0 });
    });

    it('without what an interrupted one left behind', async () => {
      const a = await start('a');
      await a.reaches('7');
      const orphan = await beginGeneration(log.pool, {
        projection: 'entitlements',
        state: 'scratch',
        startedBy: 'someone killed',
        reason: 'verify',
        codeVersion: '1',
        order: null,
      });
      await log.pool.query(
        `update tenure.projection_generation set started_at = started_at - interval '1 hour' where generation = $1`,
        [orphan],
      );
      await isClean(a);
      expect(await roles(a)).toEqual({ 1: 'live' });
      expect(await tablesOf(orphan)).toBe(0);
    });
  });
});
