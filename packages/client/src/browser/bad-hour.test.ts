import { badHour } from '../../test/bad-hour.js';
import { FakeBrowser } from '../../test/browser-tab.js';
import { FakeService, problem } from '../../test/fake-service.js';
import { PageClock } from '../../test/page-clock.js';
import { freeSnapshot, paidSnapshot } from '../../test/snapshots.js';

/** A page that waits for its upgrade while streams and waits are cut, and whose webhook takes so long: when it saw it, in ms. */
async function seenAfter(delayMs: number): Promise<number | 'timedOut' | 'waiting'> {
  const clock = new PageClock();
  const service = new FakeService(freeSnapshot());
  service.instead = ({ route, wait }) => {
    if (route === 'stream') return problem(404, 'not_found');
    return wait === null ? null : problem(400, 'unsupported_parameter');
  };
  const alone = { openChannel: null, locks: null };
  const { client } = new FakeBrowser(clock, service, 'a-bad-hour').open({ initial: freeSnapshot() }, alone);
  const begun = clock.now();
  clock.after(delayMs, () => service.change(paidSnapshot()));
  let seen: number | 'timedOut' | 'waiting' = 'waiting';
  void client.waitForUpgrade({ plan: 'plus' }).then(({ outcome }) => {
    seen = outcome === 'upgraded' ? clock.now() - begun : 'timedOut';
  });
  await clock.advance(60_000);
  return seen;
}

describe('Upgrades whose webhooks are late as in a bad hour, with streams and waits cut', () => {
  it('are seen within ten seconds where the webhook came within six, and all by the last poll', async () => {
    const hour = badHour(1_000);
    expect(hour.filter((delayMs) => delayMs <= 6_000)).toHaveLength(950);
    expect(hour.filter((delayMs) => delayMs > 30_000)).toHaveLength(2);
    const delays = hour.filter((delayMs, n) => delayMs > 6_000 || n % 10 === 0);
    const seen = await Promise.all(delays.map(seenAfter));
    expect(delays.filter((delayMs, n) => delayMs <= 6_000 && !(Number(seen[n]) <= 10_000))).toEqual([]);
    expect(seen.filter((ms) => typeof ms !== 'number')).toEqual([]);
  });
});
