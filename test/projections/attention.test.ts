import { AttentionWatch } from '../../src/projections/attention-watch.js';
import { AttentionReader } from '../../src/projections/entitlements/attention.reader.js';
import { at, day, item } from '../support/policy-stories.js';
import { ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

describe('What needs attention', () => {
  let log: ProjectedLog;
  beforeAll(async () => {
    log = await ProjectedLog.open();
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(0), { userId: 'ann', items: [item('price_of_no_plan')] }),
      sightOf('2', day(0), { userId: 'bob' }),
    );
    const service = await log.start('a', { now: () => at(day(1)) });
    await service.reaches('3');
  });
  afterAll(() => log.close());

  it.each([
    [true, ['price_of_no_plan']],
    [false, []],
  ])('is counted at each look and warned of once, where the instance warns (%s)', async (isOurs, prices) => {
    const warned: object[] = [];
    const reader = new AttentionReader(log.pool);
    let looks = 0;
    const watch = new AttentionWatch({
      attention: reader,
      isOurs: () => {
        looks += 1;
        return isOurs;
      },
      warn: (details) => warned.push(details),
      onTrouble: (error) => warned.push({ error }),
      everyMs: 5,
    });
    watch.start();
    await until('it looked thrice', async () => looks >= 3);
    await watch.stop();
    expect(watch.counts).toEqual({ unmappedPrices: 1, pendingPayments: 0, pendingWithoutInvoice: 0 });
    expect(warned).toEqual(prices.map((price) => ({ price, users: 1 })));
  });
});
