import { randomUUID } from 'node:crypto';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import { NoFaultError } from '../../src/projections/rebuild/errors.js';
import type { ProjectionRecovery } from '../../src/projections/recovery.js';
import { failingRules, has, type Judged, sawStatus } from '../support/failing-rules.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { recoveryOf } from '../support/recovery-of.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const SKIP = { actor: 'eva', correlationId: 'test', reason: 'made by a tool that is gone' };
const NOTHING = { streams: 0, users: 0 };
const PLANS = twoPlans({ free: 'reports', plus: 'export' });

/** Rules that cannot judge what was ever seen unpaid. */
const FAULTY = failingRules('1', (judged) => sawStatus(judged, 'unpaid'));
const FIXED = failingRules('2', () => false);

describe('What cannot be folded', () => {
  let log: ProjectedLog;
  let recovery: ProjectionRecovery;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    recovery = recoveryOf(log);
    await log.record(
      publication(PLANS, day(0)),
      sightOf('1', day(0), { userId: 'ann' }),
      sightOf('2', day(0), { userId: 'bob' }),
    );
  });
  afterEach(() => log.close());

  function start(name: string, rules: FoldingRules, more: Parameters<typeof log.start>[1] = {}) {
    return log.start(name, { rules, now: () => at(day(9)), patienceMs: 20_000, ...more });
  }

  async function head(): Promise<string> {
    return (await log.store.head()) ?? '0';
  }

  /** `plan status`, with the position of the mark of who is marked. */
  async function shown({ reader }: Instance, ...users: readonly string[]): Promise<readonly string[]> {
    return (await reader.readMany(users)).map(({ snapshot: { plan, status, faulted } }) =>
      faulted === undefined ? `${plan} ${status}` : `${plan} ${status}, faulted at ${faulted.position}`,
    );
  }

  function verified({ rebuilds: generations }: Instance) {
    return generations.verify('all', 'test', () => undefined);
  }

  /** A build by the code of an instance has the very rows that are read; and so says a verification. */
  async function isTheSameAgain(instance: Instance): Promise<void> {
    const report = await instance.rebuilds.rebuild({ ...OPS, afterwards: 'keep' }, () => undefined);
    expect(report).toMatchObject({ changed: 0, detailsOnly: 0 });
    expect(await log.rowsOf(report.to.generation)).toEqual(await log.rowsOf(report.from.generation));
    expect(await verified(instance)).toMatchObject({ differences: 0, foldedLate: { users: 0 } });
    await instance.rebuilds.drop(report.to.generation);
  }

  it('is set aside with what follows on its stream: the stream counts as it stood, its user is judged on and marked', async () => {
    await log.record(
      sightOf('3', day(1), { userId: 'cleo', status: 'unpaid' }),
      sightOf('3', day(2), { userId: 'cleo' }),
      sightOf('4', day(2), { userId: 'cleo' }),
      sightOf('1', day(2), { userId: 'ann', status: 'canceled' }),
      sightOf('3', day(3), { userId: 'cleo', status: 'canceled' }),
    );
    const a = await start('a', FAULTY);
    await a.reaches(await head());
    // What cleo bought meanwhile is there.
    expect(await shown(a, 'ann', 'bob', 'cleo')).toEqual([
      'free canceled',
      'plus active',
      'plus active, faulted at 4',
    ]);
    const [served] = await a.reader.readMany(['cleo']);
    expect(served?.snapshot.faulted).toEqual({ since: new Date(at(day(1))).toISOString(), position: '4' });
    expect(await a.ops.faults(null, 10)).toEqual({
      items: [
        {
          kind: 'stream',
          id: 'tenure.subscription-sub_3',
          position: '4',
          type: 'SubscriptionUpdated',
          code: 'projector_failed',
          message: 'not with me',
          since: new Date(at(day(1))).toISOString(),
          waiting: 3,
          users: ['cleo'],
        },
      ],
      next: null,
    });
    expect(a.engine.status()).toMatchObject({ state: 'leading', setAside: { streams: 1, users: 1 } });
    expect(a.aside.map(({ kind, id, position }) => [kind, id, position])).toEqual([
      ['stream', 'tenure.subscription-sub_3', '4'],
    ]);
    expect(a.faults).toEqual([]);
    const { items } = await a.users.page({ role: null, plan: 'plus', status: null }, null, 10);
    expect(items.map(({ userId, faulted }) => [userId, faulted?.position])).toEqual([
      ['bob', undefined],
      ['cleo', '4'],
    ]);
    await isTheSameAgain(a);
  });

  it('is set aside also where the event cannot even be read', async () => {
    const strange = { id: randomUUID(), type: 'FromTheFuture', data: '{"userId":"dora"}', metadata: '{}' };
    const { position } = await log.store.append('tenure.strange', 'no_stream', [strange]);
    await log.store.append('tenure.strange', 0, [{ ...strange, id: randomUUID() }]);
    await log.record(sightOf('4', day(2), { userId: 'cleo' }));
    const a = await start('a', FIXED);
    await a.reaches(await head());
    expect(await shown(a, 'cleo', 'dora')).toEqual(['plus active', `free none, faulted at ${position}`]);
    expect((await a.ops.faults(null, 10)).items).toMatchObject([
      { id: 'tenure.strange', position, code: 'unknown_event_type', waiting: 2, users: ['dora'] },
    ]);
    await isTheSameAgain(a);
  });

  it.each<[string, (judged: Judged) => ReturnType<Parameters<typeof failingRules>[1]>]>([
    [
      'U+0000',
      (judged) =>
        sawStatus(judged, 'paused')
          ? { ...judged.judgement, entitlement: { ...judged.judgement.entitlement, role: 'a\0b' } }
          : false,
    ],
    [
      'an instant after the year 9999',
      (judged) =>
        sawStatus(judged, 'paused')
          ? {
              ...judged.judgement,
              successors: [{ ...judged.judgement, at: Date.parse('+010000-01-01T00:00:00Z') }],
            }
          : false,
    ],
    [
      'a limit that is no number',
      (judged) =>
        sawStatus(judged, 'paused')
          ? {
              ...judged.judgement,
              entitlement: { ...judged.judgement.entitlement, limits: { members: Number.POSITIVE_INFINITY } },
            }
          : false,
    ],
  ])(
    'is set aside when it would write %s, also where the next event of the batch would heal it',
    async (_, fails) => {
      const healing = failingRules('1', (judged) =>
        sawStatus(judged, 'incomplete') ? false : fails(judged),
      );
      await log.record(
        sightOf('2', day(1), { userId: 'bob', status: 'paused' }),
        sightOf('2', day(2), { userId: 'bob', status: 'incomplete' }),
      );
      const a = await start('a', healing);
      await a.reaches(await head());
      expect(await shown(a, 'ann', 'bob')).toEqual(['plus active', 'plus active, faulted at 4']);
      await isTheSameAgain(a);
    },
  );

  it('by a user alone leaves that user what was, with what time does to it, and is tried with each later event', async () => {
    // Whatever bob has, from the second day to the fourth.
    const rules = failingRules(
      '1',
      (judged) => has(judged, 'sub_2') && judged.now >= at(day(2)) && judged.now < at(day(4)),
    );
    await log.record(
      sightOf('2', day(1), { userId: 'bob', cancelAt: day(3) }),
      sightOf('5', day(2), { userId: 'bob' }),
      sightOf('1', day(2), { userId: 'ann', status: 'canceled' }),
    );
    const a = await start('a', rules);
    await a.reaches(await head());
    expect(await a.reader.readMany(['bob'])).toMatchObject([
      { snapshot: { faulted: { position: '5', since: new Date(at(day(2))).toISOString() } } },
    ]);
    expect((await a.ops.faults(null, 10)).items).toMatchObject([{ kind: 'user', id: 'bob', position: '5' }]);
    expect(a.aside).toMatchObject([{ kind: 'user', id: 'bob', position: '5' }]);
    const before = (await log.rowsOf(1)).user_role;
    expect(JSON.stringify(before)).toContain(new Date(at(day(3))).toISOString().slice(0, 19));
    // The end that was foreseen is written, though nobody can say what follows.
    await log.record({
      event: {
        type: 'AccessDeadlineReached',
        data: { userId: 'bob', at: new Date(at(day(3))).toISOString() },
      },
      origin: null,
      at: at(day(3)),
    });
    await a.reaches(await head());
    expect(await a.deadlines.due(at(day(3)), null, 10)).toEqual([]);
    expect((await shown(a, 'ann', 'bob')).at(1)).toMatch(/^free .*, faulted at 5$/);
    await log.record(sightOf('5', day(4), { userId: 'bob' }));
    await a.reaches(await head());
    expect(await shown(a, 'ann', 'bob')).toEqual(['free canceled', 'plus active']);
    expect(a.engine.status().setAside).toEqual(NOTHING);
    await isTheSameAgain(a);
  });

  it('of a catalogue leaves the one before it in force and marks nobody', async () => {
    const bad = {
      ...PLANS,
      plans: { ...PLANS.plans, plus: { ...PLANS.plans.plus, role: 'a\0b' } },
    } as typeof PLANS;
    await log.record(publication(bad, day(1)), sightOf('4', day(2), { userId: 'cleo' }));
    const a = await start('a', FIXED);
    await a.reaches(await head());
    expect(await shown(a, 'ann', 'bob', 'cleo')).toEqual(['plus active', 'plus active', 'plus active']);
    expect(a.engine.status().setAside).toEqual({ streams: 1, users: 0 });
    expect(a.aside).toMatchObject([{ kind: 'stream', id: 'tenure.catalog', code: 'unwritable_row' }]);
    await isTheSameAgain(a);
    // The next one waits behind it, until ops go past it.
    await log.record(publication(twoPlans({ free: 'news', plus: 'export' }), day(3)));
    await a.reaches(await head());
    await recovery.skip('4', SKIP);
    await until('the next one is in force', async () => {
      const [dora] = await a.reader.readMany(['dora']);
      return dora?.snapshot.features.join() === 'news';
    });
    expect(await verified(a)).toMatchObject({ differences: 0, foldedLate: { users: 3 } });
  });

  it('is folded on by other code, judged then, and says so until a rebuild', async () => {
    await log.record(
      sightOf('2', day(1), { userId: 'bob', status: 'unpaid' }),
      sightOf('2', day(2), { userId: 'bob', status: 'unpaid', cancelAt: day(20) }),
      sightOf('1', day(3), { userId: 'ann', status: 'canceled' }),
    );
    const a = await start('a', FAULTY);
    const last = await head();
    await a.reaches(last);
    expect(await shown(a, 'bob')).toEqual(['plus active, faulted at 4']);
    await a.stop();

    const b = await start('b', FIXED);
    await until('what was set aside is folded', () => b.engine.status().setAside.streams === 0);
    expect(await shown(b, 'ann', 'bob')).toEqual(['free canceled', 'free unpaid']);
    expect((await b.ops.faults(null, 10)).items).toEqual([]);
    const { rows } = await log.pool.query(
      `select position::text, late_at::text, valid_from from tenure.entitlement_history
       where generation = 1 and user_id = 'bob' and late_at is not null order by seq`,
    );
    expect(rows[0]).toEqual({ position: '4', late_at: last, valid_from: new Date(at(day(3))) });
    expect(await verified(b)).toMatchObject({ differences: 0, foldedLate: { users: 1, first: ['bob'] } });
    await b.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    expect(await shown(b, 'ann', 'bob')).toEqual(['free canceled', 'free unpaid']);
    expect(await verified(b)).toMatchObject({ differences: 0, foldedLate: { users: 0, first: [] } });
  });

  it('is folded on when it is resumed, in the order of the log, and set aside again where it still fails', async () => {
    let broken = ['unpaid', 'paused'];
    const rules = failingRules('1', (judged) => broken.some((status) => sawStatus(judged, status)));
    await log.record(
      sightOf('1', day(1), { userId: 'ann', status: 'unpaid' }),
      sightOf('2', day(1), { userId: 'bob', status: 'unpaid' }),
      sightOf('1', day(2), { userId: 'ann', status: 'canceled' }),
      sightOf('2', day(2), { userId: 'bob', status: 'paused' }),
      sightOf('2', day(3), { userId: 'bob' }),
    );
    const a = await start('a', rules);
    await a.reaches(await head());
    expect(await shown(a, 'ann', 'bob')).toEqual(['plus active, faulted at 4', 'plus active, faulted at 5']);
    broken = ['paused'];
    expect(await recovery.resume('live')).toEqual({ generation: 1, fault: null, streams: 2, users: 0 });
    await until('one is folded on', () => a.engine.status().setAside.streams === 1);
    await until('the other stands later, and was tried there', async () => {
      const { rows } = await log.pool.query(
        'select from tenure.set_aside_stream where generation = 1 and position = 7 and tried_by is not null',
      );
      return rows.length === 1;
    });
    expect(await shown(a, 'ann', 'bob')).toEqual(['free canceled', 'free unpaid, faulted at 7']);
    expect((await a.ops.faults(null, 10)).items).toMatchObject([{ waiting: 2, users: ['bob'] }]);
    broken = [];
    await recovery.resume('live');
    await until('all is folded', () => a.engine.status().setAside.streams === 0);
    expect(await shown(a, 'ann', 'bob')).toEqual(['free canceled', 'plus active']);
    await expect(recovery.resume('live')).rejects.toThrow(NoFaultError);
    expect(await verified(a)).toMatchObject({ differences: 0, foldedLate: { users: 2 } });
  });

  it('is gone past for ever when it is skipped, and what waits behind it is folded', async () => {
    await log.record(
      sightOf('2', day(1), { userId: 'bob', status: 'unpaid' }),
      sightOf('2', day(2), { userId: 'bob', status: 'active', cancelAt: day(8) }),
    );
    const rules = failingRules('1', (judged) => sawStatus(judged, 'unpaid'));
    const a = await start('a', rules);
    await a.reaches(await head());
    expect(await recovery.skip('4', SKIP)).toMatchObject({ outcome: 'skipped', position: '4' });
    await until('what waits is folded', () => a.engine.status().setAside.streams === 0);
    const [bob] = await a.reader.readMany(['bob']);
    expect(bob?.snapshot).toMatchObject({ plan: 'free', cancelAt: null });
    expect(bob?.snapshot.faulted).toBeUndefined();
    const report = await a.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    expect(report).toMatchObject({ changed: 0 });
    expect(await verified(a)).toMatchObject({ differences: 0, foldedLate: { users: 0 } });
  });

  it('by the database is set aside, or the user alone marked, and everybody else is written', async () => {
    await log.pool.query(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not with me'; end $$;
      create trigger no_fact before insert on tenure.subscription_fact for each row
        when (new.subscription = 'sub_6') execute function refuse();
      create trigger no_user before insert on tenure.user_role for each row
        when (new.user_id = 'dora') execute function refuse()`);
    await log.record(
      sightOf('5', day(1), { userId: 'cleo' }),
      sightOf('6', day(1), { userId: 'emil' }),
      sightOf('7', day(1), { userId: 'dora' }),
      sightOf('8', day(1), { userId: 'fay' }),
      sightOf('7', day(2), { userId: 'dora' }),
      publication(twoPlans({ free: 'news', plus: 'export' }), day(2)),
      sightOf('9', day(3), { userId: 'gus' }),
    );
    const a = await start('a', FIXED);
    await a.reaches(await head());
    expect(await shown(a, 'cleo', 'emil', 'dora', 'fay', 'gus')).toEqual([
      'plus active',
      'free none, faulted at 5',
      'free none, faulted at 6',
      'plus active',
      'plus active',
    ]);
    expect((await a.ops.faults(null, 10)).items).toMatchObject([
      { kind: 'stream', id: 'tenure.subscription-sub_6', code: 'P0001' },
      { kind: 'user', id: 'dora', code: 'P0001' },
    ]);
    await isTheSameAgain(a);
    await log.pool.query('drop function refuse() cascade');
    await log.record(sightOf('7', day(4), { userId: 'dora' }));
    await a.reaches(await head());
    expect(await shown(a, 'dora', 'emil')).toEqual(['plus active', 'free none, faulted at 5']);
    await recovery.resume('live');
    await until('what waits is folded', () => a.engine.status().setAside.streams === 0);
    expect(await shown(a, 'emil')).toEqual(['plus active']);
  });

  it.each([1, 500])(
    'stops everything when it is more than the limit within so many events, in batches of %i',
    async (batchSize) => {
      const rules = failingRules('1', (judged) => sawStatus(judged, 'unpaid'));
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        await log.record(
          sightOf(name, day(1), { userId: name, status: 'unpaid' }),
          sightOf(`ok-${name}`, day(1)),
        );
      }
      const a = await start('a', rules, { faultLimit: 2, batchSize });
      const stands = (instance: Instance) =>
        until('it stands', () => {
          const { state, fault } = instance.engine.status();
          return state === 'faulted' && fault;
        });
      // It counts on after a restart.
      const fault = { position: '8', type: 'SubscriptionUpdated', code: 'fault_limit' };
      expect(await stands(a)).toMatchObject(fault);
      expect(a.engine.status()).toMatchObject({ handled: '7', setAside: { streams: 2, users: 2 } });
      await a.stop();
      const b = await start('b', rules, { faultLimit: 2, batchSize });
      expect(await stands(b)).toMatchObject(fault);
      expect(b.engine.status()).toMatchObject({ handled: '7' });
      await isTheSameAgain(b);
      // Who resumes lets as many be set aside again, and what was is tried once more.
      expect(await recovery.resume('live')).toMatchObject({ fault, streams: 2 });
      await until('it stands later', () => b.engine.status().fault?.position === '12');
      expect(b.engine.status()).toMatchObject({ handled: '11', setAside: { streams: 4, users: 4 } });
    },
  );

  it('cannot be read back leaves everybody else their answers, and the next event writes it anew', async () => {
    const a = await start('a', FIXED);
    await a.reaches(await head());
    await a.stop();
    // As code before this wrote it: Infinity is null in JSON.
    await log.pool.query(
      `update tenure.user_role set snapshot = replace(snapshot, '"limits":{}', '"limits":{"members":null}') where user_id = 'bob'`,
    );
    const b = await start('b', FIXED);
    expect(await shown(b, 'ann', 'bob')).toEqual(['plus active', 'free none, faulted at 3']);
    const { items } = await b.users.page({ role: null, plan: null, status: null }, null, 10);
    expect(items.map(({ userId }) => userId)).toEqual(['ann']);
    await log.record(sightOf('2', day(1), { userId: 'bob' }));
    await b.reaches(await head());
    expect(await shown(b, 'ann', 'bob')).toEqual(['plus active', 'plus active']);
  });
});
