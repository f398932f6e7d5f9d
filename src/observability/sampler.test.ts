import { Sampler } from './sampler.js';

describe('A sampler', () => {
  it('lets one of a kind through in a while, with how many it stands for', () => {
    let now = 0;
    const sampler = new Sampler(60_000, () => now);
    expect([sampler.take('a'), sampler.take('a'), sampler.take('b'), sampler.take('a')]).toEqual([
      0,
      null,
      0,
      null,
    ]);
    now = 59_999;
    expect(sampler.take('a')).toBeNull();
    now = 60_000;
    expect([sampler.take('a'), sampler.take('a'), sampler.take('b')]).toEqual([3, null, 0]);
  });
});
