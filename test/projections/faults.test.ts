import { randomUUID } from 'node:crypto';
import { parseEvent } from '../../src/events/event-envelope.js';
import { projectionStream } from '../../src/events/stream-names.js';
import { judge } from '../../src/policy/judge.js';
import { readLiveCheckpoint } from '../../src/projections/engine/checkpoint.js';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import {
  FaultElsewhereError,
  NoFaultError,
  UnknownGenerationError,
} from '../../src/projections/rebuild/errors.js';
import type { ProjectionRecovery } from '../../src/projections/recovery.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, KEY, ProjectedLog } from '../support/projected-log.js';
import { recoveryOf } from '../support/recovery-of.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
const SKIP = { actor: 'eva', correlationId: 'test', reason: 'made by a tool that is gone' };

/** Rules that throw where a subscription was ever seen unpaid, while `broken` says so. */
function rulesOf(codeVersion: string, broken: () => boolean): FoldingRules {
  return {
    codeVersion,
    judge: (facts, catalog, now) => {
      const isUnpaid = facts.subscriptions.some(({ observations }) =>
        observations.some(({ data }) => data.status === 'unpaid'),
      );
      if (isUnpaid && broken()) throw new RangeError('not with me');
      return judge(facts, catalog, now);
    },
  };
}

const FAULTY = rulesOf('1', () => true);
const FIXED = rulesOf('2', () => false);

describe('A projection that may set nothing aside, at a fault', () => {
  let log: ProjectedLog;
  let recovery: ProjectionRecovery;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    recovery = recoveryOf(log);
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(0), { userId: 'ann' }),
      sightOf('2', day(0), { userId: 'bob' }),
      sightOf('2', day(1), { userId: 'bob', status: 'unpaid' }),
      sightOf('3', day(1), { userId: 'cleo' }),
      sightOf('1', day(1), { userId: 'ann', status: 'canceled' }),
    );
  });
  afterEach(() => log.close());

  function start(name: string, rules: FoldingRules, more: Parameters<typeof log.start>[1] = {}) {
    const now = (): number => at(day(2));
    return log.start(name, { rules, now, patienceMs: 20_000, faultLimit: 0, ...more });
  }

  /** It says so itself, and the database, where others look, says it too. */
  function stands(instance: Instance, position: string): Promise<unknown> {
    return until(`${instance.name} stands at ${position}`, async () => {
      const { state, fault } = instance.engine.status();
      const live = await readLiveCheckpoint(log.pool, KEY.projection);
      return (
        state === 'faulted' && fault?.position === position && live?.checkpoint.fault?.position === position
      );
    });
  }

  async function plans({ reader }: Instance): Promise<Record<string, string>> {
    const all = await reader.readMany(['ann', 'bob', 'cleo']);
    return Object.fromEntries(
      all.map(({ userId, snapshot: { plan, status } }) => [userId, `${plan} ${status}`]),
    );
  }

  async function skips() {
    return (await log.store.read(projectionStream('tenure.', 'entitlements'), 0)).map(parseEvent);
  }

  async function isClean({ rebuilds: generations }: Instance): Promise<void> {
    expect(await generations.verify('all', 'test', () => undefined)).toMatchObject({
      differences: 0,
      first: [],
    });
  }

  it('goes past the event once it is skipped, on every instance, and says in the log who skipped it and why', async () => {
    const [a, b] = [await start('a', FAULTY), await start('b', FAULTY)];
    await stands(a, '4');
    await stands(b, '4');
    const [{ id, stream, revision, type } = { id: '' }] = (await log.store.readAll('3', 1)).events;
    const skipped = { id, stream, revision, type };
    expect(await recovery.skip('4', SKIP)).toEqual({
      outcome: 'skipped',
      position: '4',
      skipped,
      reason: SKIP.reason,
    });
    await a.reaches('7');
    await b.reaches('7');
    expect(a.engine.status()).toMatchObject({ fault: null });
    expect(b.engine.status()).toMatchObject({ fault: null });
    expect(await plans(a)).toEqual({ ann: 'free canceled', bob: 'plus active', cleo: 'plus active' });
    expect(await skips()).toEqual([
      expect.objectContaining({
        type: 'EventSkipped',
        data: { projection: 'entitlements', skipped, reason: SKIP.reason },
        metadata: expect.objectContaining({ actor: 'eva' }),
      }),
    ]);
    await isClean(a);
  });

  it('gives the same rows in batches of any size, with an event that cannot even be read among the skipped', async () => {
    const unreadable = await log.recordRaw({
      id: randomUUID(),
      type: 'FromTheFuture',
      data: '{}',
      metadata: '{}',
    });
    await log.record(sightOf('3', day(2), { userId: 'cleo', status: 'canceled' }));
    const a = await start('a', FAULTY, { batchSize: 1 });
    for (const position of ['4', unreadable]) {
      await stands(a, position);
      await recovery.skip(position, SKIP);
    }
    const last = (await log.store.head()) ?? '0';
    await a.reaches(last);
    expect(await plans(a)).toMatchObject({ cleo: 'free canceled' });
    const straight = await log.rowsOf(1);
    await a.stop();
    for (const batchSize of [1, 2, 3, 500]) {
      const b = await start(`b${batchSize}`, FAULTY, { buildBatchSize: batchSize });
      const report = await b.rebuilds.rebuild({ ...OPS, afterwards: 'keep' }, () => undefined);
      expect(report).toMatchObject({ position: last, changed: 0, detailsOnly: 0 });
      expect(await log.rowsOf(report.to.generation)).toEqual(straight);
      await b.rebuilds.drop(report.to.generation);
      await b.stop();
    }
  });

  it('takes the skipped event in with a rebuild by code that can fold it', async () => {
    const a = await start('a', FAULTY);
    await stands(a, '4');
    await recovery.skip('4', SKIP);
    await a.reaches('7');
    const same = await a.rebuilds.rebuild({ ...OPS, afterwards: 'drop' }, () => undefined);
    expect(same).toMatchObject({ changed: 0, detailsOnly: 0 });
    await a.stop();

    const b = await start('b', FIXED);
    const healed = await b.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    expect(healed).toMatchObject({ changed: 1, byKind: { plan: 1, status: 1 }, first: [{ userId: 'bob' }] });
    expect(await plans(b)).toMatchObject({ bob: 'free unpaid' });
    await isClean(b);
  });

  it('is skipped once, by however many at once, and only where it stands', async () => {
    await expect(recovery.skip('4', SKIP)).rejects.toThrow(NoFaultError);
    const a = await start('a', FAULTY);
    await stands(a, '4');
    await expect(recovery.skip('5', SKIP)).rejects.toThrow(FaultElsewhereError);
    await expect(recovery.skip('3', SKIP)).rejects.toThrow(FaultElsewhereError);
    expect(await skips()).toEqual([]);
    let arrived = 0;
    const meet = (): Promise<unknown> => {
      arrived += 1;
      return until('all have found the fault', () => arrived === 3);
    };
    const answers = await Promise.all(
      [0, 1, 2].map((n) => recoveryOf(log, meet).skip('4', { ...SKIP, correlationId: `request ${n}` })),
    );
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual([
      'skipped',
      'skipped_before',
      'skipped_before',
    ]);
    await a.reaches('7');
    const again = await recovery.skip('4', { ...SKIP, reason: 'another' });
    expect(again).toMatchObject({ outcome: 'skipped_before', reason: SKIP.reason });
    await expect(recovery.skip('5', SKIP)).rejects.toThrow(NoFaultError);
    expect(await skips()).toHaveLength(1);
    // Nor is one that is only not folded yet.
    await a.stop();
    const next = await log.record(sightOf('3', day(2), { userId: 'cleo' }));
    await expect(recovery.skip(next, SKIP)).rejects.toThrow(NoFaultError);
    expect(await skips()).toHaveLength(1);
  });

  it('tries again at once when it is resumed, and stays where it is until then', async () => {
    let broken = true;
    const a = await start(
      'a',
      rulesOf('1', () => broken),
    );
    await stands(a, '4');
    await expect(recovery.resume(2)).rejects.toThrow(UnknownGenerationError);
    // What is still there is met again, by an instance that would not have looked by itself.
    expect(await recovery.resume('live')).toMatchObject({ generation: 1, fault: { position: '4' } });
    await until('it was met again', () => a.faults.length === 2);
    await stands(a, '4');
    broken = false;
    await recovery.resume(1);
    await a.reaches('6');
    expect(await plans(a)).toMatchObject({ bob: 'free unpaid' });
    await expect(recovery.resume('live')).rejects.toThrow(NoFaultError);
    expect(await skips()).toEqual([]);
  });

  it('of a build is resumed alike', async () => {
    let broken = false;
    const a = await start(
      'a',
      rulesOf('1', () => broken),
    );
    await a.reaches('6');
    broken = true;
    const generation = await a.rebuilds.begin(OPS);
    await until('the build stands', async () => {
      const all = await a.rebuilds.list();
      return all.find((each) => each.generation === generation)?.fold?.checkpoint.fault?.position === '4';
    });
    broken = false;
    await recovery.resume(generation);
    await a.rebuilds.untilCaughtUp(generation, () => undefined);
    expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
  });
});
