import { PageClock } from '../../test/page-clock.js';
import { freeSnapshot, paidSnapshot } from '../../test/snapshots.js';
import { type ClientState, NOTHING_YET } from './state.js';
import { type UpgradeSource, watchUpgrade } from './upgrade.js';

/** Milliseconds from payment to visibility of 1,000 upgrades in a bad hour. */
const DELAYS = [
  ...spread(950, 200, 6_000),
  ...spread(30, 6_000, 8_000),
  ...spread(18, 8_000, 30_000),
  ...spread(2, 30_000, 55_000),
];

function spread(count: number, fromMs: number, toMs: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => fromMs + ((toMs - fromMs) * (n + 0.5)) / count);
}

/** A user whose upgrade is there after so long, for who asks: nothing is pushed. */
function sourceOf(clock: PageClock, delayMs: number): UpgradeSource {
  const paidAt = clock.now();
  let state: ClientState = { ...NOTHING_YET, status: 'live', snapshot: freeSnapshot() };
  return {
    getState: () => state,
    subscribe: () => () => {},
    async refetch() {
      const snapshot = clock.now() - paidAt >= delayMs ? paidSnapshot() : freeSnapshot();
      state = { ...state, snapshot };
      return snapshot;
    },
  };
}

describe('A thousand upgrades whose webhooks are late, with nothing pushed', () => {
  it('are seen by their waits, 95 of 100 within ten seconds and all by the last poll', async () => {
    const clock = new PageClock();
    const begun = clock.now();
    const seenAfter: number[] = [];
    for (const delayMs of DELAYS) {
      watchUpgrade(sourceOf(clock, delayMs), clock, { plan: 'plus' }, ({ state }) => {
        if (state === 'upgraded') seenAfter.push(clock.now() - begun);
      });
    }
    expect(DELAYS).toHaveLength(1_000);
    await clock.advance(7_000);
    expect(seenAfter.length).toBeGreaterThanOrEqual(950);
    await clock.advance(53_000);
    expect(seenAfter).toHaveLength(1_000);
    expect(clock.pending).toBe(0);
  });
});
