import { FakeBrowser } from '../../test/browser-tab.js';
import { FakeService, problem } from '../../test/fake-service.js';
import { PageClock, settled } from '../../test/page-clock.js';
import { freeSnapshot, paidSnapshot } from '../../test/snapshots.js';
import type { ClientOptions } from './client.js';

let counted = 0;
/** A page of a free user, where a service pushes, or (`instead`) does not. */
async function aPage(options: Partial<ClientOptions> = {}) {
  const clock = new PageClock();
  const service = new FakeService(freeSnapshot());
  counted += 1;
  const browser = new FakeBrowser(clock, service, `upgrade-${counted}`);
  const tab = browser.open(options, { openChannel: null, locks: null }).watch();
  await settled();
  return { clock, service, tab };
}

/** Streams answer nothing, polls are not held: what is asked for is the wait's own. */
async function aPageWithoutPush() {
  const page = await aPage();
  page.service.instead = ({ route }) => (route === 'stream' ? problem(401, 'unauthorized') : null);
  page.tab.unwatch();
  await page.clock.advance(1_000);
  page.service.seen.length = 0;
  return page;
}

describe('Waiting for an upgrade', () => {
  it('ends at once when a push brings it, and asks for nothing', async () => {
    const { clock, service, tab } = await aPage();
    const asked = service.count('snapshot');
    const wait = tab.client.waitForUpgrade();
    await clock.advance(300);
    service.push(paidSnapshot());
    await expect(wait).resolves.toMatchObject({ outcome: 'upgraded', snapshot: { plan: 'plus' } });
    expect(service.count('snapshot')).toBe(asked);
  });

  it('asks after 1, 2, 4, 8, 16 and 29 seconds more, and says after the sixtieth that time is over', async () => {
    const { clock, service, tab } = await aPage();
    const begun = clock.now();
    const at: number[] = [];
    service.instead = ({ route }) => {
      if (route === 'snapshot') at.push(clock.now() - begun);
      return null;
    };
    const wait = tab.client.waitForUpgrade();
    for (let second = 0; second < 70; second += 10) {
      await clock.advance(10_000);
      service.heartbeat();
    }
    expect(at).toEqual([1_000, 3_000, 7_000, 15_000, 31_000, 60_000]);
    await expect(wait).resolves.toMatchObject({ outcome: 'timedOut', error: null });
  });

  it('is not put off by requests that fail, and is ended by the poll that sees it', async () => {
    const { clock, service, tab } = await aPageWithoutPush();
    service.instead = () => 'unreachable';
    const wait = tab.client.waitForUpgrade({ plan: 'plus' });
    await clock.advance(14_000);
    service.snapshot = paidSnapshot();
    service.instead = ({ route }) => (route === 'stream' ? 'unreachable' : null);
    await clock.advance(1_000);
    await expect(wait).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  it('that timed out still counts what comes later', async () => {
    const { clock, service, tab } = await aPage();
    const wait = tab.client.waitForUpgrade();
    for (let second = 0; second < 70; second += 10) {
      await clock.advance(10_000);
      service.heartbeat();
    }
    const result = await wait;
    service.push(paidSnapshot());
    if (result.outcome !== 'timedOut') throw new Error(`not timed out: ${result.outcome}`);
    await expect(result.later).resolves.toMatchObject({ plan: 'plus' });
  });

  it('for a plan is over at once when the user has it already', async () => {
    const { tab } = await aPage({ initial: paidSnapshot() });
    await expect(tab.client.waitForUpgrade({ plan: 'plus' })).resolves.toMatchObject({ outcome: 'upgraded' });
  });

  it('for a plan goes on while its payment is awaited, or when another plan comes', async () => {
    const { clock, service, tab } = await aPage();
    const seen: string[] = [];
    const end = tab.client.watchUpgrade({ plan: 'pro' }, ({ state }) => seen.push(state));
    service.push(paidSnapshot());
    const pendingPayment = { plan: 'pro', price: 'p', since: 's', invoice: null, reason: 'invoice_open' };
    service.push(paidSnapshot({ plan: 'pro', pendingPayment, revocationVersion: 2, position: '110' }));
    await clock.advance(500);
    expect(seen).toEqual(['waiting']);
    service.push(paidSnapshot({ plan: 'pro', revocationVersion: 3, position: '120' }));
    await clock.advance(500);
    expect(seen).toEqual(['waiting', 'upgraded']);
    end();
  });

  it('is not ended by a change that is none, or by a loss', async () => {
    const { clock, service, tab } = await aPage({ initial: paidSnapshot() });
    service.push(paidSnapshot());
    const seen: string[] = [];
    const end = tab.client.watchUpgrade({}, ({ state }) => seen.push(state));
    service.push(paidSnapshot({ expiresAt: '2027-01-01T00:00:00.000Z', position: '130' }), 'update');
    service.push(freeSnapshot({ revocationVersion: 2, position: '140' }));
    await clock.advance(500);
    expect(seen).toEqual(['waiting']);
    end();
  });

  it('given up by its signal is aborted, and nothing goes on', async () => {
    const { clock, service, tab } = await aPageWithoutPush();
    const controller = new AbortController();
    const wait = tab.client.waitForUpgrade({ signal: controller.signal });
    await clock.advance(2_000);
    controller.abort();
    await expect(wait).resolves.toEqual({ outcome: 'aborted' });
    await clock.advance(1_000);
    const asked = service.seen.length;
    await clock.advance(120_000);
    expect([service.seen.length - asked, clock.pending]).toEqual([0, 0]);
    await expect(tab.client.waitForUpgrade({ signal: controller.signal })).resolves.toEqual({
      outcome: 'aborted',
    });
  });
});
