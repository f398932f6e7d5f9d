import { coalesceIntervalMs } from './coalescing.js';

describe('the interval between partial batches', () => {
  it.each([
    [0, 20],
    [6, 20],
    [20, 20],
    [50, 50],
    [499, 80],
  ])('after one of %i events is %i ms: short while little comes, bounded when much does', (events, ms) => {
    expect(coalesceIntervalMs(events)).toBe(ms);
  });
});
