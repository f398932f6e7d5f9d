import { AsOfReader } from '../../src/audit/as-of/as-of.js';
import { everyUserAsOf } from '../../src/audit/as-of/every-user.js';
import { FoldTimes } from '../../src/audit/as-of/fold-times.js';
import { readUserStreams } from '../../src/audit/as-of/user-streams.reader.js';
import { RebuildNeededError } from '../../src/audit/errors.js';
import { snapshotsByBothClocks } from '../../src/audit/export/both-clocks.js';
import { UserHistory } from '../../src/audit/history/user-history.js';
import { RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { failingRules, sawStatus } from '../support/failing-rules.js';
import { at, day } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const PLANS = twoPlans({ free: 'reports', plus: 'export' });

describe('What was served', () => {
  let log: ProjectedLog;
  let clock: number;
  let asOf: AsOfReader;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    clock = at(day(9));
    const { pool, store } = log;
    const parts = { pool, store, streamPrefix: 'tenure.' };
    asOf = new AsOfReader({ ...parts, now: () => clock, reach: async () => true });
  });
  afterEach(() => log.close());

  const start = (name: string, rules = RUNNING_RULES) => log.start(name, { rules, now: () => clock });

  async function served(userId: string, second: number) {
    return (await asOf.asOf(userId, { at: null, knownAt: at(second) })).snapshot;
  }

  it('follows the clock alone by what was known then, also where a publication changed only what was to come', async () => {
    const { free } = PLANS.plans;
    if (free === undefined) throw new Error('a catalogue without its default plan');
    const basic = { ...PLANS, plans: { ...PLANS.plans, free: { ...free, role: 'basic' } } };
    const live = await start('live');
    await live.reaches(
      await log.record(
        publication(PLANS, day(0)),
        sightOf('1', day(1), { userId: 'ann', cancelAt: day(5) }),
        publication(basic, day(6)),
      ),
    );
    expect(await served('ann', day(5) - 1)).toMatchObject({ plan: 'plus', revocationVersion: 1 });
    expect(await served('ann', day(5))).toMatchObject({ role: 'free', revocationVersion: 2 });
    expect(await served('ann', day(6))).toMatchObject({ role: 'basic', revocationVersion: 3 });
    await live.reaches(
      await log.record(
        sightOf('2', day(7), { userId: 'bob', cancelAt: day(8) }),
        publication(PLANS, day(7) + 1),
      ),
    );
    expect(await served('bob', day(8))).toMatchObject({ role: 'free' });
  });

  it('was marked from the event that could not be applied on, and is as it was until that is folded on', async () => {
    const faulty = await start(
      'faulty',
      failingRules('1', (judged) => sawStatus(judged, 'unpaid')),
    );
    const head = await log.record(
      publication(PLANS, day(0)),
      sightOf('1', day(1), { userId: 'cleo' }),
      sightOf('2', day(2), { userId: 'cleo', status: 'unpaid' }),
      sightOf('1', day(3), { userId: 'cleo', status: 'canceled' }),
    );
    await faulty.reaches(head);
    const faulted = { since: new Date(at(day(2))).toISOString(), position: '3' };
    const snapshot = { status: 'canceled', faulted };
    expect(await served('cleo', day(4))).toMatchObject(snapshot);
    const judged = await asOf.asOf('cleo', { at: at(day(4)), knownAt: null });
    expect(judged.snapshot).toMatchObject(snapshot);
    await faulty.stop();
    const fixed = await start(
      'fixed',
      failingRules('2', () => false),
    );
    await until('nothing is set aside', () => fixed.engine.status().setAside.streams === 0);
    expect(await served('cleo', day(1))).not.toHaveProperty('faulted');
    expect(await served('cleo', day(8))).toMatchObject(snapshot);
    expect(await served('cleo', day(9))).not.toHaveProperty('faulted');
    expect(await served('cleo', day(9))).toMatchObject({ status: 'canceled' });
  });

  it('is told beside what holds by all that is known at each change of either, that by the clock alone among them', async () => {
    const live = await start('live');
    const late = { ...sightOf('1', day(1), { userId: 'ann', cancelAt: day(5) }), at: at(day(3)) };
    await live.reaches(await log.record(publication(PLANS, day(0)), late));
    const { pool, store } = log;
    const histories = new UserHistory({ pool, store, streamPrefix: 'tenure.' });
    const told = await snapshotsByBothClocks({ histories, asOf, now: () => clock }, 'ann');
    expect(told.map(({ moment, served, held }) => [Date.parse(moment), served.plan, held.plan])).toEqual([
      [at(day(1)), 'free', 'plus'],
      [at(day(3)), 'plus', 'plus'],
      [at(day(5)), 'free', 'free'],
    ]);
  });

  it('is told beside what holds with each stream of the user read a few times, however many moments there are', async () => {
    const live = await start('live');
    const sights = Array.from({ length: 40 }, (_, n) => {
      const status = n % 2 === 0 ? 'active' : 'past_due';
      return sightOf('1', day(1) + 60 * n, { userId: 'ann', status });
    });
    await live.reaches(await log.record(publication(PLANS, day(0)), ...sights));
    const { pool, store } = log;
    let reads = 0;
    const read = store.read.bind(store);
    store.read = (...asked) => {
      reads += 1;
      return read(...asked);
    };
    const histories = new UserHistory({ pool, store, streamPrefix: 'tenure.' });
    const told = await snapshotsByBothClocks({ histories, asOf, now: () => clock }, 'ann');
    expect(told.filter(({ cause }) => cause?.kind === 'event')).toHaveLength(40);
    expect(reads).toBeLessThan(10);
  });

  it('is asked of everyone whom an event named, page by page, and of nobody else', async () => {
    const users = Array.from({ length: 230 }, (_, n) => `u${String(n).padStart(3, '0')}`);
    const live = await start('live');
    await log.record(publication(PLANS, day(0)));
    const events = users.map((userId, n) => sightOf(`${n}`, day(1) + n, { userId }));
    await live.reaches(await log.record(...events));
    const known = async (second: number, after: string | null) => {
      const found: string[] = [];
      const question = { at: null, knownAt: at(second) };
      for await (const { userId } of everyUserAsOf(asOf, log.pool, question, after)) found.push(userId);
      return found;
    };
    expect(await known(day(2), null)).toEqual(users);
    expect(await known(day(2), 'u199')).toEqual(users.slice(200));
    expect(await known(day(1) + 120, null)).toEqual(users.slice(0, 121));
  });

  it('is looked for from a time kept long before the moment as from the last one', async () => {
    const live = await start('live');
    const events = Array.from({ length: 60 }, (_, n) => sightOf(`${n}`, day(1) + n, { userId: 'ann' }));
    await live.reaches(await log.record(publication(PLANS, day(0)), ...events));
    const times = new FoldTimes(log.pool, log.store);
    const moment = at(day(1) + 50);
    const streams = await readUserStreams(log.pool, 'ann', moment);
    const early = await readUserStreams(log.pool, 'ann', at(day(0)));
    if (streams === null || early === null) throw new Error('nothing is folded');
    expect(early.lastKept).not.toBe(streams.lastKept);
    expect(await times.lastKnown(early, moment)).toBe('52');
    expect(await times.lastKnown(streams, moment)).toBe('52');
  });

  it('is another from a swap on where the same code has folded something else, and what it was until then', async () => {
    const live = await start('live');
    await live.reaches(await log.record(publication(PLANS, day(0)), sightOf('1', day(1), { userId: 'ann' })));
    const spoilt = `replace(snapshot, '"export"', '"spoilt"')`;
    await log.pool.query(`update tenure.user_role set snapshot = ${spoilt} where user_id = 'ann'`);
    clock = at(day(3));
    await live.rebuilds.rebuild({ actor: 'ops', reason: 'a test', afterwards: 'swap' }, () => undefined);
    const [now] = await new EntitlementReader(log.pool, () => clock).readMany(['ann']);
    expect(now?.snapshot).toMatchObject({
      features: expect.arrayContaining(['export']),
      revocationVersion: 2,
    });
    clock = at(day(4));
    expect(await served('ann', day(2))).toMatchObject({ revocationVersion: 1 });
    const { scheduledChange: _, ...then } = now?.snapshot ?? {};
    expect(await served('ann', day(3))).toMatchObject(then);
  });

  it('is not told from read models that code of before has begun, until they are rebuilt', async () => {
    const live = await start('live');
    await live.reaches(await log.record(publication(PLANS, day(0)), sightOf('1', day(1), { userId: 'ann' })));
    await log.pool.query('delete from tenure.logical_time where position < 0');
    await expect(served('ann', day(2))).rejects.toThrow(RebuildNeededError);
    await live.rebuilds.rebuild({ actor: 'ops', reason: 'a test', afterwards: 'swap' }, () => undefined);
    expect(await served('ann', day(2))).toMatchObject({ plan: 'plus' });
  });
});
