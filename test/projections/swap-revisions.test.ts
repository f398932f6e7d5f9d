import { day } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

const OPS = { actor: 'ops', reason: 'a test' };
/** Commits of the first generation: a build, in its large batches, never comes to so many. */
const MANY = 1_000;

describe('A swap to a generation that was made in fewer commits', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(() => log.close());

  it('is later than all before it, for who leads and who follows, and so is the way back', async () => {
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(0), { userId: 'ann' }),
    );
    const first = await log.start('first');
    await first.reaches('2');
    await first.stop();
    await log.pool.query('update tenure.projection_checkpoint set revision = $1', [MANY]);

    const instances = [await log.start('a'), await log.start('b')] as const;
    const [a] = instances;
    await until('one of them leads', async () => (await log.leader()) !== undefined);
    const everyoneReads = (generation: number): Promise<unknown> =>
      until(`every instance is at generation ${generation}`, () =>
        instances.every(({ engine }) => engine.status().generation === generation),
      );
    await everyoneReads(1);
    const generation = await a.rebuilds.begin(OPS);
    await a.rebuilds.untilCaughtUp(generation, () => undefined);
    await a.rebuilds.swap(generation, OPS);
    await everyoneReads(generation);
    await a.rebuilds.rollBack(OPS);
    await everyoneReads(1);
    const last = await log.record(sightOf('1', day(1), { userId: 'ann', status: 'canceled' }));
    for (const instance of instances) await instance.reaches(last);
  });
});
