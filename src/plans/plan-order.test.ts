import fc from 'fast-check';
import {
  type ChoiceOrder,
  hasMoreUnits,
  orderOfChoice,
  type PaidInterval,
  type PlanChoice,
} from './plan-order.js';

const MONTHLY: PaidInterval = { unit: 'month', count: 1 };
const YEARLY: PaidInterval = { unit: 'year', count: 1 };
const PLUS: PlanChoice = { plan: 'plus', rank: 1, interval: MONTHLY, quantity: 2, addons: { seats: 3 } };

const CASES: readonly [what: string, changed: Partial<PlanChoice>, order: ChoiceOrder][] = [
  ['nothing else', {}, 'same'],
  ['a higher plan', { plan: 'pro', rank: 2 }, 'more'],
  ['a higher plan for a shorter time, in fewer units', { plan: 'pro', rank: 2, quantity: 1 }, 'more'],
  ['a lower plan', { plan: 'free', rank: 0 }, 'less'],
  [
    'a lower plan for longer, in more units',
    { plan: 'free', rank: 0, interval: YEARLY, quantity: 9 },
    'less',
  ],
  ['another plan of the same rank', { plan: 'plus2' }, 'more'],
  ['another plan of the same rank in fewer units', { plan: 'plus2', quantity: 1 }, 'less'],
  ['a longer interval', { interval: YEARLY }, 'more'],
  ['a longer interval in fewer units', { interval: YEARLY, quantity: 1 }, 'more'],
  ['twelve months for a year', { interval: { unit: 'month', count: 12 } }, 'more'],
  ['a shorter interval', { interval: { unit: 'week', count: 4 } }, 'less'],
  ['a shorter interval in more units', { interval: { unit: 'week', count: 1 }, quantity: 9 }, 'less'],
  ['for good', { interval: 'once' }, 'more'],
  ['more units with fewer add-ons', { quantity: 3, addons: {} }, 'more'],
  ['fewer units with more add-ons', { quantity: 1, addons: { seats: 9 } }, 'less'],
  ['more of an add-on', { addons: { seats: 4 } }, 'more'],
  ['an add-on beside', { addons: { seats: 3, storage: 1 } }, 'more'],
  ['one add-on for another', { addons: { storage: 1 } }, 'more'],
  ['fewer of an add-on', { addons: { seats: 2 } }, 'less'],
  ['no add-on', { addons: {} }, 'less'],
  ['none of another add-on', { addons: { seats: 3, storage: 0 } }, 'same'],
];

describe('A choice of a plan', () => {
  it.each(CASES)('of %s is told apart from what is held', (_what, changed, order) => {
    expect(orderOfChoice({ ...PLUS, ...changed }, PLUS)).toBe(order);
  });

  it.each<[string, Partial<PlanChoice>, boolean]>([
    ['no more units of nothing else', {}, false],
    ['no more units of fewer units and add-ons', { quantity: 1, addons: {} }, false],
    ['more units with a lower plan', { plan: 'free', rank: 0, quantity: 9 }, true],
    ['more units with fewer add-ons', { quantity: 3, addons: {} }, true],
    [
      'more of an add-on by a shorter interval',
      { interval: { unit: 'week', count: 1 }, addons: { seats: 4 } },
      true,
    ],
    ['an add-on in place of another one', { addons: { storage: 1 } }, true],
  ])('has %s', (_what, changed, isMore) => {
    expect(hasMoreUnits({ ...PLUS, ...changed }, PLUS)).toBe(isMore);
  });

  it('is the same as itself, and never less than what is less than it', () => {
    const interval = fc.oneof(
      fc.constant('once' as const),
      fc.record({
        unit: fc.constantFrom('day', 'week', 'month', 'year'),
        count: fc.integer({ min: 1, max: 12 }),
      }),
    );
    const units = fc.integer({ min: 0, max: 3 });
    const choice: fc.Arbitrary<PlanChoice> = fc
      .record({ rank: units, interval, quantity: units, addons: fc.record({ seats: units }) })
      .map((made) => ({ ...made, plan: `rank${made.rank}` }));
    fc.assert(
      fc.property(choice, choice, (a, b) => {
        expect(orderOfChoice(a, a)).toBe('same');
        const opposite = { same: 'same', more: 'less', less: 'more' } as const;
        expect(orderOfChoice(b, a)).toBe(opposite[orderOfChoice(a, b)]);
      }),
    );
  });
});
