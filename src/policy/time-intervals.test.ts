import fc from 'fast-check';
import { firstOverTime, greatestUpTo, valueAt } from './time-intervals.js';

const instants = fc.integer({ min: 0, max: 12 });
const intervals = fc.array(fc.record({ start: instants, end: instants, id: fc.nat(5) }), { maxLength: 12 });

describe('intervals of time', () => {
  it('have at every instant the first one that covers it', () => {
    const compare = (a: { id: number }, b: { id: number }) => a.id - b.id;
    fc.assert(
      fc.property(intervals, (list) => {
        const steps = firstOverTime(list, compare);
        for (let instant = -0.5; instant <= 13; instant += 0.5) {
          const covering = list.filter(({ start, end }) => start <= instant && instant < end);
          const ids = covering.map(({ id }) => id);
          expect(valueAt(steps, instant)?.id ?? null).toBe(ids.length === 0 ? null : Math.min(...ids));
        }
      }),
    );
  });

  it('are told in steps that differ, ascending', () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const steps = firstOverTime(list, () => 0);
        for (const [index, step] of steps.entries()) {
          const before = steps[index - 1];
          if (before === undefined) continue;
          expect(step.from).toBeGreaterThan(before.from);
          expect(step.value).not.toBe(before.value);
        }
      }),
    );
  });

  it('tell the greatest value up to a key', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ key: instants, value: instants })), instants, (entries, limit) => {
        const values = entries.filter(({ key }) => key <= limit).map(({ value }) => value);
        const greatest = greatestUpTo(entries)(limit)?.value ?? Number.NEGATIVE_INFINITY;
        expect(greatest).toBe(Math.max(Number.NEGATIVE_INFINITY, ...values));
      }),
    );
  });
});
