import { type BuildPoint, partOf, reckoned } from './build-progress.js';

/** A log in which an event takes 1,000 positions. */
const LIVE: BuildPoint = { handled: '1000000', events: 1_000 };

describe('How far along the log a build is', () => {
  it.each<[string, BuildPoint, BuildPoint, string | null]>([
    ['by its events in the order of the log', { handled: '400000', events: 380 }, LIVE, '380000'],
    ['by its events where others come before its first', { handled: '900000', events: 1 }, LIVE, '1000'],
    ['by its events while its position stands', { handled: '1000', events: 400 }, LIVE, '400000'],
    ['nowhere past what is read', { handled: '1000', events: 1_200 }, LIVE, '1000000'],
    ['where it is, at its end', { handled: '1000700', events: 1_001 }, LIVE, '1000700'],
    [
      'where it is, at its end, though it counted fewer',
      { handled: '1000000', events: 990 },
      LIVE,
      '1000000',
    ],
    [
      'by its events where positions are dense',
      { handled: '1', events: 9 },
      { handled: '34', events: 34 },
      '9',
    ],
    ['nowhere where nothing is read', { handled: null, events: 0 }, { handled: null, events: 0 }, null],
    [
      'where it is where nobody counted events',
      { handled: '7', events: 7 },
      { handled: '9', events: 0 },
      '7',
    ],
  ])('is told %s', (_, point, live, handled) => {
    expect(reckoned(point, live)).toEqual({ ...point, handled });
    if (live.handled !== null) {
      expect(partOf(handled, live.handled)).toBeCloseTo(Math.min(1, Number(handled) / Number(live.handled)));
    }
  });
});
