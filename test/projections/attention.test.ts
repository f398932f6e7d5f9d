import { AttentionWatch } from '../../src/projections/attention-watch.js';
import { AttentionReader } from '../../src/projections/read-models/attention.reader.js';
import { grantToRecord, overrideToRecord } from '../support/by-hand-stories.js';
import { at, day, item } from '../support/policy-stories.js';
import { type Instance, ProjectedLog } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';
import { until } from '../support/until.js';

describe('What needs attention', () => {
  let log: ProjectedLog;
  let service: Instance;
  beforeAll(async () => {
    log = await ProjectedLog.open();
    await log.record(
      publication(twoPlans({ free: 'reports', plus: 'export' }), day(0)),
      sightOf('1', day(0), { userId: 'ann', items: [item('price_of_no_plan')] }),
      sightOf('2', day(0), { userId: 'bob' }),
      // Both move to a price in no plan, of the product of `plus`; one of them also to the other price, which is of no product.
      sightOf('3', day(0), { userId: 'eve' }),
      sightOf('3', day(1), { items: [item('plus_new'), item('price_of_no_plan')] }),
      sightOf('4', day(0), { userId: 'dan' }),
      sightOf('4', day(1), { items: [item('plus_new')] }),
      sightOf('5', day(1), { userId: 'joe', items: [item('plus_new')] }),
      // What ended is nobody's concern.
      sightOf('6', day(0), { userId: 'zoe' }),
      sightOf('6', day(1), { items: [item('plus_new')], status: 'canceled' }),
      // Of what is done by hand three things are in force and name what the catalogue lacks.
      ...grantToRecord('mia', 'gr_1', { recorded: day(1), plan: 'gold' }),
      ...grantToRecord('mia', 'gr_2', { recorded: day(1), plan: 'plus', features: ['gilded'] }),
      ...grantToRecord('mia', 'gr_3', { recorded: day(1), plan: 'plus' }),
      ...grantToRecord('mia', 'gr_4', { recorded: day(0), plan: 'gold', until: day(1) }),
      ...grantToRecord('mia', 'gr_5', { recorded: day(1), plan: 'gold', revoked: day(1) }),
      ...overrideToRecord('mia', { recorded: day(1), key: 'export', value: true }),
      ...overrideToRecord('mia', { recorded: day(1), key: 'crates', value: 7 }),
      ...overrideToRecord('mia', { recorded: day(1), key: 'boxes', value: true, removed: day(1) }),
    );
    service = await log.start('a', { now: () => at(day(1)) });
    await service.reaches('20');
  });
  afterAll(() => log.close());

  it.each([
    [
      true,
      [
        { price: 'plus_new', users: 1 },
        { price: 'plus_new', users: 2, plans: ['plus'] },
        { price: 'price_of_no_plan', users: 2 },
      ],
    ],
    [false, []],
  ])(
    'is counted at each look and warned of once, where the instance warns (%s)',
    async (isOurs, expected) => {
      const warned: object[] = [];
      const reader = new AttentionReader(log.pool, () => at(day(1)));
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
      expect(watch.counts).toEqual({
        unmappedPrices: 3,
        adoptedPrices: 2,
        pendingPayments: 0,
        pendingWithoutInvoice: 0,
        grantsWithoutEffect: 2,
        overridesWithoutEffect: 1,
      });
      expect(warned).toEqual(expected);
    },
  );

  it('is listed by price, page by page: for whom it gives nothing, for whom it counts as a plan', async () => {
    const reader = new AttentionReader(log.pool);
    const first = await reader.unmappedPrices(null, 1);
    expect(first).toEqual({
      items: [{ price: 'plus_new', users: 1, adopted: { users: 2, plans: ['plus'] }, example: 'dan' }],
      next: 'plus_new',
    });
    expect(await reader.unmappedPrices(first.next, 1)).toEqual({
      items: [{ price: 'price_of_no_plan', users: 2, adopted: { users: 0, plans: [] }, example: 'ann' }],
      next: 'price_of_no_plan',
    });
  });

  it('is told by rows that a fold of the whole log writes alike, until a catalogue has the price', async () => {
    const adopted = async (): Promise<unknown> => {
      const { rows } = await log.pool.query(
        `select user_id, adopted_prices from tenure.user_role where adopted_prices <> '[]' order by user_id`,
      );
      return rows;
    };
    const told = JSON.stringify([{ price: 'plus_new', plan: 'plus' }]);
    expect(await adopted()).toEqual([
      { user_id: 'dan', adopted_prices: told },
      { user_id: 'eve', adopted_prices: told },
    ]);
    const verify = () => service.rebuilds.verify('all', 'test', () => undefined);
    expect(await verify()).toMatchObject({ differences: 0 });
    const catalog = twoPlans({ free: 'reports', plus: 'export' });
    const [free, plus] = [catalog.plans.free, catalog.plans.plus];
    if (free === undefined || plus === undefined) throw new Error('there are two plans');
    const plans = { free, plus: { ...plus, prices: { m: ['plus_m', 'plus_new'] } } };
    await service.reaches(await log.record(publication({ ...catalog, plans }, day(2))));
    expect(await adopted()).toEqual([]);
    expect(await verify()).toMatchObject({ differences: 0 });
  });
});
