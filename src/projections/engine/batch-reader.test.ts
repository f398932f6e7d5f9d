import { BatchSize } from './batch-reader.js';

describe('The size of a batch', () => {
  it('halves with each time-out, down to one event, and doubles with each commit, up to the full size', () => {
    const size = new BatchSize(500);
    const timeout = new Error('Query read timeout');
    const sizes = Array.from({ length: 10 }, () => {
      size.failed(timeout);
      return size.now;
    });
    expect(sizes).toEqual([250, 125, 62, 31, 15, 7, 3, 1, 1, 1]);
    for (let commits = 0; commits < 9; commits += 1) size.passed();
    expect(size.now).toBe(500);
  });

  it('stays with what is no matter of time', () => {
    const size = new BatchSize(500);
    size.failed(new Error('Connection terminated unexpectedly'));
    expect(size.now).toBe(500);
  });
});
