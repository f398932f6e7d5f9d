import { nextTry, pollPause } from './reconnect.js';

describe('After a stream', () => {
  const ended = { kind: 'ended', lastedMs: 60_000, retryMs: null } as const;

  it('that was a good one the next comes in about a second, or when the server asked for it', () => {
    expect(nextTry(ended, 3, 0.5)).toEqual({ failures: 0, does: 'pause', forMs: 1_000 });
    expect(nextTry({ ...ended, retryMs: 8_000 }, 0, 0)).toEqual({ failures: 0, does: 'pause', forMs: 6_000 });
  });

  it('that ends at once again and again the pauses double up to half a minute, with jitter', () => {
    const short = { ...ended, lastedMs: 5 };
    const pauses = [0, 1, 2, 3, 4, 5, 6].map((failures) => nextTry(short, failures, 0.5));
    expect(pauses.map(({ forMs }) => forMs)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(pauses.map(({ failures }) => failures)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(nextTry({ kind: 'unreachable' }, 2, 0).forMs).toBe(3_000);
    expect(nextTry({ kind: 'unreachable' }, 2, 0.999).forMs).toBeCloseTo(4_998);
  });

  it('that could not be read, or is not there, polls stand in for minutes', () => {
    const polls = { failures: 0, does: 'poll', forMs: 300_000 };
    expect(nextTry({ kind: 'unread' }, 4, 0.5)).toEqual(polls);
    expect(nextTry({ kind: 'refused', httpStatus: 404, retryAfterMs: null }, 4, 0.5)).toEqual(polls);
  });

  it('that was refused for want of room polls stand in as long as the server asks, never less', () => {
    const busy = { kind: 'refused', httpStatus: 503, retryAfterMs: 20_000 } as const;
    expect(nextTry(busy, 0, 0)).toEqual({ failures: 1, does: 'poll', forMs: 20_000 });
    expect(nextTry(busy, 0, 0.999).forMs).toBeGreaterThan(24_000);
  });

  it('that was refused for want of a token nothing is asked until the next try', () => {
    expect(nextTry({ kind: 'refused', httpStatus: 401, retryAfterMs: null }, 1, 0.5)).toEqual({
      failures: 2,
      does: 'pause',
      forMs: 2_000,
    });
  });
});

describe('Between two polls', () => {
  it('half a minute passes, after failures less at first, and never less than the server asks', () => {
    expect(pollPause(30_000, 0, null, 0.5)).toBe(30_000);
    expect([1, 2, 3, 9].map((failures) => pollPause(30_000, failures, null, 0.5))).toEqual([
      1_000, 2_000, 4_000, 30_000,
    ]);
    expect(pollPause(30_000, 1, 60_000, 0)).toBe(60_000);
  });
});
