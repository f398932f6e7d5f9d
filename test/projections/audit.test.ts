import { UserHistory } from '../../src/audit/history/user-history.js';
import { AuditLog } from '../../src/audit/log/audit-log.js';
import { replay } from '../../src/audit/replay/replay.js';
import { at, day } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const ALL = { from: null, to: null, cursor: null, stream: null, user: null } as const;
const ANY = { stripeEventId: null, since: null, until: null } as const;
const LOOK = {
  event: {
    type: 'AuditAccessed',
    data: { reader: 'key:key_1', kind: 'history', userId: 'ann', hour: '2026-11-29T10:00:00.000Z' },
  },
  origin: null,
  at: Date.parse('2026-11-29T10:25:00.000Z'),
} as const;

describe('What auditors read', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(() => log.close());

  it('of the log holds no connection between two readings, however long the next one is waited for', async () => {
    const sights = Array.from({ length: 120 }, (_, n) => sightOf('1', day(1) + n, { userId: 'ann' }));
    await log.record(...sights);
    const { store, pool } = log;
    const lines = new AuditLog({ store, pool, streamPrefix: 'tenure.' }).lines(
      { ...ALL, ...ANY },
      () => false,
    );
    let read = '';
    for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
      await until('all connections are idle', () => pool.idleCount === pool.totalCount);
      read += next.value;
    }
    expect(read.match(/\n/g)).toHaveLength(121);
  });

  it('of a history names the instant where time alone ended something, and the rule by which it did', async () => {
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(1), { userId: 'ann', cancelAt: day(5) }),
    );
    const deadline = { userId: 'ann', at: new Date(at(day(5))).toISOString() };
    const event = { type: 'AccessDeadlineReached', data: deadline } as const;
    await log.record({ event, origin: null, at: at(day(5)) + 400 });
    await log.replay({ batchSize: 10, sliceSize: 10, projector: 'kept' });
    const { store, pool } = log;
    const histories = new UserHistory({ pool, store, streamPrefix: 'tenure.' });
    const question = { order: 'oldest', behind: null, limit: 10, kind: 'every', reasons: 'told' } as const;
    const { items } = await histories.page('ann', question);
    expect(items.map(({ snapshot: { plan }, until: end, cause: { kind } }) => [plan, end, kind])).toEqual([
      ['plus', deadline.at, 'event'],
      ['free', null, 'time'],
    ]);
    expect(items[1]?.cause).toEqual({ kind: 'time', at: deadline.at });
    expect(items.map(({ reasons }) => reasons?.find(({ of }) => of === 'plan')?.code)).toEqual([
      'only_plan',
      'default_plan',
    ]);
    const steps = replay(await histories.life('ann'), null);
    expect(
      steps.map((step) => [step.event?.type, step.snapshot?.from, step.snapshot?.snapshot.plan]),
    ).toEqual([
      ['SubscriptionUpdated', items[0]?.from, 'plus'],
      [undefined, deadline.at, 'free'],
    ]);
    expect(replay(await histories.life('ann'), at(day(1)))).toHaveLength(1);
  });

  it('changes nothing of what anybody may do by being looked at', async () => {
    const replay = { batchSize: 10, sliceSize: 10, projector: 'kept' } as const;
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(1), { userId: 'bob' }),
    );
    await log.replay(replay);
    const { projection_checkpoint: _, logical_time: __, ...before } = await log.rows();
    await log.record(LOOK);
    expect((await log.replay(replay)).outcome).not.toBe('faulted');
    const { projection_checkpoint: ___, logical_time: ____, ...after } = await log.rows();
    expect(after).toEqual(before);
  });
});
