import { UnsupportedSchemaVersionError, type Upcasters, upcast } from './upcasters.js';

/** Version 3 of `Bought` names its price in an object; 2 renamed the field of 1. */
const upcasters: Upcasters = new Map([
  [
    'Bought',
    new Map([
      [1, (data) => ({ price: Reflect.get(Object(data), 'plan') })],
      [2, (data) => ({ price: { id: Reflect.get(Object(data), 'price') } })],
    ]),
  ],
  ['Sold', new Map([[2, (data) => data]])],
]);

describe('an upcast', () => {
  it.each<[number, unknown, number, unknown]>([
    [1, { plan: 'p' }, 3, { price: { id: 'p' } }],
    [1, { plan: 'p' }, 2, { price: 'p' }],
    [2, { price: 'p' }, 3, { price: { id: 'p' } }],
    [3, { price: { id: 'p' } }, 3, { price: { id: 'p' } }],
  ])('takes version %d %j to version %d one step at a time: %j', (from, data, to, expected) => {
    expect(upcast('Bought', data, from, to, upcasters)).toEqual(expected);
  });

  it.each<[string, string, number, number, number]>([
    ['of a version that newer code wrote', 'Bought', 4, 3, 4],
    ['where the first step is missing', 'Sold', 1, 3, 1],
    ['where the last step is missing', 'Bought', 1, 4, 3],
    ['of a type without upcasters', 'Kept', 1, 2, 1],
  ])('%s is refused', (_, type, from, to, stuckAt) => {
    const run = () => upcast(type, {}, from, to, upcasters);
    expect(run).toThrow(UnsupportedSchemaVersionError);
    expect(run).toThrow(expect.objectContaining({ type, version: stuckAt, current: to }));
  });
});
