import { OnceADay } from './once-a-day.js';

describe('What is told once a day', () => {
  it('is due again when a day has passed, each thing by itself', () => {
    let now = 0;
    const told = new OnceADay(() => now);
    expect(['a', 'a', 'b'].map((thing) => told.isDue(thing))).toEqual([true, false, true]);
    now = 86_399_999;
    expect(told.isDue('a')).toBe(false);
    now = 86_400_000;
    expect(told.isDue('a')).toBe(true);
  });

  it('is remembered for a bounded number of things', () => {
    const told = new OnceADay(() => 0);
    for (let n = 0; n <= 10_000; n += 1) told.isDue(`thing ${n}`);
    expect(told.isDue('thing 10000')).toBe(false);
    expect(told.isDue('thing 0')).toBe(true);
  });
});
