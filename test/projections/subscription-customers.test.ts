import { observationEvent } from '../support/lives.facts.js';
import { at, day, item, seen } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';

/** What is told of `sub_1` in one second, of one change: its event, its customer, and the kind of event. */
type Told = readonly [id: string, customer: string | null, type: 'created' | 'updated'];

describe('Customers that a subscription was said to be of', () => {
  let log: ProjectedLog;
  beforeEach(async () => {
    log = await ProjectedLog.open();
  });
  afterEach(async () => {
    await log.close();
  });

  async function record(told: readonly Told[]): Promise<void> {
    for (const [n, [id, customer, type]] of told.entries()) {
      const sight = seen(type, day(1), { id, customer, userId: 'anna', items: [item('plus_m')] });
      if (sight.kind !== 'observation') throw new Error('a sight is an observation');
      await log.record({ event: observationEvent(sight.fact), origin: sight.fact, at: at(day(1)) + n });
    }
  }

  it.each<[string, Told[]]>([
    [
      'where the first of two sights of one change, by its id, names none',
      [
        ['evt_1', null, 'updated'],
        ['evt_7', 'cus_old', 'updated'],
        ['evt_5', 'cus_new', 'created'],
        ['evt_9', 'cus_old', 'updated'],
      ],
    ],
    [
      'where the sight that named one counts no more',
      [
        ['evt_7', 'cus_old', 'updated'],
        ['evt_1', null, 'updated'],
        ['evt_5', 'cus_new', 'created'],
      ],
    ],
  ])('are all known, whatever of it is in memory, %s', async (_, told) => {
    await record(told);
    for (const projector of ['kept', 'made anew each round'] as const) {
      await log.empty();
      await log.replay({ batchSize: 1, sliceSize: 1, projector });
      const { rows } = await log.pool.query(
        'select customer from tenure.subscription union select customer from tenure.subscription_customer order by 1',
      );
      expect([projector, rows]).toEqual([projector, [{ customer: 'cus_new' }, { customer: 'cus_old' }]]);
    }
  });
});
