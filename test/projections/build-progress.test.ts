import { buildSteps, foldSteps, type Step } from '../../src/cli/progress.js';
import {
  ENTITLEMENTS,
  EntitlementsProjector,
} from '../../src/projections/entitlements/entitlements.projector.js';
import { RUNNING_RULES } from '../../src/projections/entitlements/folding-rules.js';
import { verifyLive } from '../../src/projections/rebuild/verification.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';
import { Gate, WatchedGroups } from '../support/watched-groups.js';

const RULES_OF_THIS_CODE = { projection: ENTITLEMENTS, codeVersion: RUNNING_RULES.codeVersion };
const USERS = Array.from({ length: 8 }, (_, n) => n);
const EVENTS = 1 + 2 * USERS.length;

describe.each([
  ['in PostgreSQL', 'inside'],
  ['in EventStoreDB, whose positions are bytes', 'elsewhere'],
] as const)('Progress of a fold, with the log %s,', (_, where) => {
  let log: ProjectedLog;
  let head: string;
  beforeEach(async () => {
    log = await ProjectedLog.open(where);
    await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)));
    const turn = (nth: number) => USERS.map((n) => sightOf(String(n), day(nth) + n, { userId: `user ${n}` }));
    head = await log.record(...turn(1), ...turn(2));
  });
  afterEach(() => log.close());

  /** An instance whose builds go by one user at a time, and wait where the third is asked for. */
  async function start(): Promise<{ readonly instance: Instance; readonly gate: Gate }> {
    const gate = new Gate(3);
    const store = new WatchedGroups({ store: log.store, url: log.url }, gate.before);
    const now = (): number => at(day(9));
    const instance = await log.start('a', {
      store,
      leastByGroups: 1,
      buildBatchSize: 2,
      patienceMs: 20_000,
      now,
    });
    await instance.reaches(head);
    return { instance, gate };
  }

  /** Looks at a fold: never backwards, as far as its events are, and at last at its end. */
  function expectSteady(steps: readonly Step[]): void {
    expect(steps.at(-1)).toMatchObject({
      part: 1,
      says: expect.stringContaining(`${EVENTS} events, at ${head} of ${head}`),
    });
    const parts = steps.map(({ part }) => part ?? 0);
    expect(parts).toEqual(parts.toSorted((a, b) => a - b));
    for (const { part, says } of steps) {
      expect(part).toBeCloseTo(Number(/(\d+) events/.exec(says)?.[1]) / EVENTS, 1);
    }
  }

  it('is told of a rebuild by the part of its events that is folded, while its position stands', async () => {
    const { instance, gate } = await start();
    const steps: Step[] = [];
    const step = buildSteps();
    const generation = await instance.rebuilds.begin({ actor: 'ops', reason: 'a test' });
    const building = instance.rebuilds.untilCaughtUp(generation, (progress) => steps.push(step(progress)));
    const inTheMiddle = await until('it is in the middle', () =>
      steps.find(({ says }) => / [3-9] events/.test(says)),
    );
    gate.open();
    await building;
    expect(inTheMiddle.part).toBeLessThan(0.6);
    expectSteady(steps);
  });

  it.each([
    ['group by group, while its position stands', 1],
    ['in the order of the log', 1_000],
  ])('is told of a verification by the part of its events that is folded %s', async (_how, leastByGroups) => {
    const { gate } = await start();
    gate.open();
    const steps: Step[] = [];
    const step = foldSteps();
    const report = await verifyLive(
      {
        store: log.store,
        streamPrefix: 'tenure.',
        pool: log.pool,
        ...RULES_OF_THIS_CODE,
        projectorOf: (generation, only) => new EntitlementsProjector({ pool: log.pool, generation, ...only }),
        batchSize: 2,
        leastByGroups,
        patienceMs: 20_000,
      },
      { users: 'all', actor: 'ops', onProgress: (...where) => steps.push(step(...where)) },
    );
    expect(report.differences).toBe(0);
    expect(new Set(steps.map(({ part }) => part)).size).toBeGreaterThan(USERS.length);
    expectSteady(steps);
  });
});
