import { FakeBrowser } from '../../test/browser-tab.js';
import { FakeService, problem } from '../../test/fake-service.js';
import { PageClock, settled } from '../../test/page-clock.js';
import { etagOf, freeSnapshot, paidSnapshot } from '../../test/snapshots.js';
import type { ClientOptions } from './client.js';
import type { Environment } from './environment.js';

let counted = 0;
function aPage(options: Partial<ClientOptions> = {}, snapshot = freeSnapshot()) {
  const clock = new PageClock();
  const service = new FakeService(snapshot);
  counted += 1;
  const browser = new FakeBrowser(clock, service, `page-${counted}`);
  const alone: Partial<Environment> = { openChannel: null, locks: null };
  const tab = browser.open(options, alone);
  return { clock, service, browser, tab };
}

describe('A page that follows its user', () => {
  it('asks once, opens a stream and shows what is pushed without asking again', async () => {
    const { service, tab } = aPage();
    expect(tab.state).toMatchObject({ status: 'loading', snapshot: null });
    tab.watch();
    await settled();
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { plan: 'free' } });
    service.push(paidSnapshot());
    await settled();
    expect(tab.plan).toBe('plus');
    service.push(paidSnapshot({ expiresAt: '2027-01-01T00:00:00.000Z', position: '130' }), 'update');
    await settled();
    expect(tab.state.snapshot?.expiresAt).toBe('2027-01-01T00:00:00.000Z');
    expect([service.count('snapshot'), service.count('stream')]).toEqual([1, 1]);
  });

  it('that came with its snapshot is live at once and asks for nothing but the stream', async () => {
    const { service, tab } = aPage({ initial: paidSnapshot() }, paidSnapshot());
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { plan: 'plus' } });
    tab.watch();
    await settled();
    expect([service.count('snapshot'), service.count('stream')]).toEqual([0, 1]);
  });

  it('tells of changed access, not of a date', async () => {
    const changes: unknown[] = [];
    const { service, tab } = aPage({ onAccessChanged: (change) => changes.push(change) });
    tab.watch();
    await settled();
    service.push(paidSnapshot());
    service.push(paidSnapshot({ expiresAt: '2027-01-01T00:00:00.000Z', position: '130' }), 'update');
    service.push(freeSnapshot({ revocationVersion: 2, position: '140' }));
    await settled();
    expect(changes).toMatchObject([
      { change: 'upgraded', previous: { plan: 'free' }, snapshot: { plan: 'plus' }, seenBy: 'this_tab' },
      { change: 'changed', previous: { plan: 'plus' }, snapshot: { plan: 'free' } },
    ]);
  });

  it('gives no user a snapshot that is older than what it holds', async () => {
    const { service, tab } = aPage({}, paidSnapshot({ revocationVersion: 4 }));
    tab.watch();
    await settled();
    service.push(freeSnapshot({ revocationVersion: 3, position: '90' }));
    await settled();
    expect(tab.plan).toBe('plus');
  });

  it('comes back to a stream that broke, with what it holds, and shows meanwhile that it may be out of date', async () => {
    const { clock, service, tab } = aPage({}, paidSnapshot());
    tab.watch();
    await settled();
    service.cut('broken');
    await settled();
    expect(tab.state).toMatchObject({ status: 'stale', snapshot: { plan: 'plus' } });
    service.change(freeSnapshot({ revocationVersion: 2, position: '140' }));
    await clock.advance(1_000);
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { plan: 'free' } });
    expect(service.seen.at(-1)).toMatchObject({ route: 'stream', lastEventId: 'at-100', minPosition: '100' });
  });

  it('takes a stream without a heartbeat for dead after 45 seconds', async () => {
    const { clock, service, tab } = aPage();
    tab.watch();
    await clock.advance(30_000);
    service.heartbeat();
    await clock.advance(44_000);
    expect(service.count('stream')).toBe(1);
    await clock.advance(3_000);
    expect(service.count('stream')).toBe(2);
  });

  it('polls when nothing of the stream was read in five seconds, and each poll is ended by the change', async () => {
    const { clock, service, tab } = aPage();
    service.instead = ({ route }) => (route === 'stream' ? 'held back' : null);
    tab.watch();
    await clock.advance(4_999);
    expect(service.count('snapshot')).toBe(1);
    await clock.advance(1);
    expect(service.seen.at(-1)).toMatchObject({
      route: 'snapshot',
      wait: '25',
      ifNoneMatch: etagOf(freeSnapshot()),
    });
    service.change(paidSnapshot());
    await settled();
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { plan: 'plus' } });
  });

  it('polls every half a minute where a service knows neither streams nor long polls', async () => {
    const { clock, service, tab } = aPage();
    service.instead = ({ route, wait }) => {
      if (route === 'stream') return problem(404, 'not_found');
      return wait === null ? null : problem(400, 'unsupported_parameter');
    };
    tab.watch();
    await clock.advance(120_000);
    expect(service.seen.filter(({ wait }) => wait !== null)).toHaveLength(1);
    expect(service.count('snapshot')).toBe(6);
    service.change(paidSnapshot());
    await clock.advance(30_000);
    expect(tab.plan).toBe('plus');
  });

  it('sends an ETag only with the body that it came with', async () => {
    const { clock, service, tab } = aPage({ initial: paidSnapshot() }, paidSnapshot());
    service.instead = ({ route }) => (route === 'stream' ? problem(404, 'not_found') : null);
    tab.watch();
    await clock.advance(120_000);
    const sent = service.seen
      .filter(({ route }) => route === 'snapshot')
      .map(({ ifNoneMatch }) => ifNoneMatch);
    expect(sent[0]).toBeNull();
    expect(sent[1]).toBe(etagOf(paidSnapshot()));
  });
});

describe('A page that is not looked at, or has no network', () => {
  it('lets go of its stream after two minutes, and asks again when somebody looks', async () => {
    const { clock, service, tab } = aPage();
    tab.watch();
    await settled();
    tab.isHidden = true;
    await clock.advance(119_000);
    service.heartbeat();
    expect(service.openStreams).toBe(1);
    await clock.advance(1_000);
    expect([service.openStreams, tab.state.status]).toEqual([0, 'stale']);
    service.change(paidSnapshot());
    await clock.advance(3_600_000);
    expect(service.count('snapshot')).toBe(1);
    tab.isHidden = false;
    await settled();
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { plan: 'plus' } });
    expect([service.count('snapshot'), service.openStreams]).toEqual([2, 1]);
  });

  it('that is looked at again before that keeps its stream', async () => {
    const { clock, service, tab } = aPage();
    tab.watch();
    await settled();
    tab.isHidden = true;
    await clock.advance(30_000);
    tab.isHidden = false;
    service.heartbeat();
    await clock.advance(40_000);
    service.heartbeat();
    await clock.advance(40_000);
    service.heartbeat();
    await clock.advance(30_000);
    expect([service.count('stream'), service.openStreams]).toEqual([1, 1]);
  });

  it('asks for nothing without a network, and at once when it is back', async () => {
    const { clock, service, tab } = aPage();
    tab.watch();
    await settled();
    tab.isOnline = false;
    await clock.advance(60_000);
    expect([service.openStreams, tab.state.status, service.seen.length]).toEqual([0, 'stale', 2]);
    service.change(paidSnapshot());
    tab.isOnline = true;
    await settled();
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { plan: 'plus' } });
  });

  it('ends everything a second after the last one has lost interest', async () => {
    const { clock, service, tab } = aPage();
    tab.watch();
    await settled();
    tab.unwatch();
    await clock.advance(999);
    expect(service.openStreams).toBe(1);
    await clock.advance(1);
    expect([service.openStreams, clock.pending]).toEqual([0, 0]);
  });
});

describe('A page whose requests fail', () => {
  it('says so where nothing was known, and tries on', async () => {
    const { clock, service, tab } = aPage();
    service.instead = () => 'unreachable';
    tab.watch();
    await settled();
    expect(tab.state).toMatchObject({ status: 'error', snapshot: null, error: { code: 'unreachable' } });
    service.instead = () => null;
    await clock.advance(1_000);
    expect(tab.state).toMatchObject({ status: 'live', error: null });
  });

  it('shows nothing more of a user whose token is refused', async () => {
    const { clock, service, tab } = aPage({ token: async () => 'ended' }, paidSnapshot());
    tab.watch();
    await settled();
    service.instead = () => problem(401, 'unauthorized');
    service.cut('drained');
    await clock.advance(1_500);
    expect(tab.state).toMatchObject({
      status: 'error',
      snapshot: null,
      lastKnown: null,
      error: { httpStatus: 401 },
    });
  });

  it('asks with a new token where the last one has just ended', async () => {
    const tokens = ['first', 'second'];
    const { service, tab } = aPage({ token: async () => tokens.shift() ?? 'none left' });
    service.instead = ({ bearer }) => (bearer === 'Bearer first' ? problem(401, 'unauthorized') : null);
    await expect(tab.client.get()).resolves.toMatchObject({ plan: 'free' });
    expect(service.seen.map(({ bearer }) => bearer)).toEqual(['Bearer first', 'Bearer second']);
  });

  it('allows nothing any more once the end of what it holds has come and nobody can be asked', async () => {
    const validUntil = '2026-11-01T00:01:00.000Z';
    const { clock, service, tab } = aPage({}, paidSnapshot({ validUntil }));
    tab.watch();
    await settled();
    expect(tab.client.feature('export')).toMatchObject({ allowed: true, status: 'live' });
    service.instead = () => 'unreachable';
    service.cut('broken');
    await clock.advance(59_000);
    expect(tab.client.feature('export')).toMatchObject({ allowed: true, status: 'stale' });
    await clock.advance(1_000);
    expect(tab.client.feature('export')).toMatchObject({ allowed: false, reason: 'expired' });
  });

  it('forgets a position that the log does not reach, and goes by the answer even if its version is lower', async () => {
    const { service, tab } = aPage({ initial: paidSnapshot({ revocationVersion: 5, position: '900' }) });
    service.instead = ({ minPosition }) => (minPosition === '900' ? problem(412, 'position_unknown') : null);
    await expect(tab.client.refetch()).resolves.toMatchObject({ plan: 'free', revocationVersion: 0 });
    expect(service.seen.map(({ minPosition }) => minPosition)).toEqual(['900', null]);
  });

  it('refuses what is no snapshot', async () => {
    const { service, tab } = aPage();
    service.instead = () => Response.json({ plan: 'plus' });
    await expect(tab.client.get()).rejects.toMatchObject({ code: 'malformed_answer' });
    expect(tab.state.snapshot).toBeNull();
  });
});

describe('Buying', () => {
  const choice = {
    plan: 'plus',
    interval: 'monthly',
    successUrl: 'https://a.test/',
    cancelUrl: 'https://a.test/',
  };

  it('names the user that the page is of, and later answers must know what it wrote', async () => {
    const { service, tab } = aPage();
    await expect(tab.client.checkout(choice)).resolves.toMatchObject({ kind: 'checkout' });
    expect(service.seen.at(-1)).toMatchObject({ route: 'checkout', body: { ...choice, userId: 'u1' } });
    await tab.client.refetch();
    expect(service.seen.at(-1)).toMatchObject({ route: 'snapshot', minPosition: '200' });
  });

  it('gives no address that would run in the page', async () => {
    const { service, tab } = aPage();
    service.instead = ({ route }) =>
      route === 'checkout' ? Response.json({ kind: 'checkout', url: 'javascript:alert(1)' }) : null;
    await expect(tab.client.checkout(choice)).rejects.toMatchObject({ code: 'malformed_answer' });
  });
});
