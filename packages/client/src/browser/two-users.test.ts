import { FakeBrowser, type FakeTab } from '../../test/browser-tab.js';
import { FakeService, snapshotAnswer } from '../../test/fake-service.js';
import { PageClock, settled } from '../../test/page-clock.js';
import { freeSnapshot, paidSnapshot } from '../../test/snapshots.js';
import { until } from '../../test/until.js';

let counted = 0;
const opened: FakeTab[] = [];
const clock = new PageClock();
const first = paidSnapshot({ userId: 'first' });
const second = freeSnapshot({ userId: 'second' });

function aBrowser() {
  counted += 1;
  const service = new FakeService(first);
  const browser = new FakeBrowser(clock, service, `users-${counted}`);
  const open = (options: Parameters<FakeBrowser['open']>[0] = {}) => {
    const tab = browser.open(options);
    opened.push(tab);
    return tab;
  };
  return { browser, service, open };
}

afterEach(async () => {
  for (const tab of opened.splice(0)) await tab.close(clock);
});

/** Everything that the page was shown, in order. */
function watched(tab: FakeTab): string[] {
  const shown: string[] = [];
  const look = () => {
    const { snapshot, lastKnown } = tab.state;
    shown.push(`${snapshot?.userId ?? '-'} ${lastKnown?.userId ?? '-'}`);
  };
  tab.watch(look);
  look();
  return shown;
}

describe('Two people one after the other in one browser', () => {
  it('the second sees nothing of the first in the same page, though an answer about the first comes late', async () => {
    const { browser, service, open } = aBrowser();
    const tab = open({ userId: 'first' });
    const shown = watched(tab);
    await settled();
    expect(tab.client.feature('export').allowed).toBe(true);
    let answerLate: () => void = () => {};
    const late = new Promise<Response>((resolve) => {
      answerLate = () => resolve(snapshotAnswer(paidSnapshot({ userId: 'first', revocationVersion: 9 })));
    });
    service.instead = () => late;
    const pending = tab.client.refetch();
    await settled();
    service.instead = () => null;
    service.snapshot = second;
    shown.length = 0;
    tab.client.signIn('second');
    expect(tab.state).toMatchObject({ status: 'loading', snapshot: null, lastKnown: null });
    answerLate();
    await late;
    await expect(pending).rejects.toMatchObject({ code: 'signed_out' });
    await settled();
    expect(tab.state).toMatchObject({ status: 'live', snapshot: { userId: 'second' } });
    expect(shown.filter((line) => line.includes('first'))).toEqual([]);
    expect([...browser.kept.values()].join()).not.toContain('first');
    expect(service.openStreams).toBe(1);
  });

  it('the second sees nothing of the first on a new page', async () => {
    const { browser, service, open } = aBrowser();
    const page = open({ userId: 'first' }).watch();
    await settled();
    await page.close(clock);
    expect([...browser.kept.values()].join()).toContain('first');
    service.snapshot = second;
    service.instead = () => 'unreachable';
    const shown = watched(open({ userId: 'second' }));
    await settled();
    expect(shown.join()).not.toContain('first');
    expect([...browser.kept.values()].join()).not.toContain('first');
  });

  it('a new page of the first shows what it last knew, and allows nothing by it', async () => {
    const { service, open } = aBrowser();
    const page = open({ userId: 'first' }).watch();
    await settled();
    await page.close(clock);
    service.instead = () => 'unreachable';
    const again = open({ userId: 'first' }).watch();
    await settled();
    expect(again.state).toMatchObject({ snapshot: null, lastKnown: { plan: 'plus' } });
    expect(again.client.feature('export')).toMatchObject({ allowed: false, reason: 'unavailable' });
  });

  it('who signs out in one tab is signed out in all, and nothing more is asked or shown', async () => {
    const { browser, service, open } = aBrowser();
    const tabs = [open({ userId: 'first' }).watch(), open({ userId: 'first' }).watch()];
    await until('both tabs are live', async () => {
      await settled();
      return tabs.every(({ state }) => state.status === 'live');
    });
    await settled();
    tabs[0]?.client.signOut();
    await until('both tabs show nothing', () =>
      tabs.every(({ state }) => state.error?.code === 'signed_out'),
    );
    expect(tabs.map(({ state }) => [state.snapshot, state.lastKnown])).toEqual([
      [null, null],
      [null, null],
    ]);
    const streams = service.count('stream');
    await clock.advance(600_000);
    expect([service.count('snapshot'), service.count('stream'), service.openStreams]).toEqual([
      2,
      streams,
      0,
    ]);
    expect(browser.kept.size).toBe(0);
    await expect(tabs[1]?.client.get()).rejects.toMatchObject({ code: 'signed_out' });
  });

  it('a page that knows its user shows nobody else, though the session is of somebody else by now', async () => {
    const { service, open } = aBrowser();
    const tab = open({ userId: 'first' });
    const shown = watched(tab);
    await settled();
    service.snapshot = second;
    await expect(tab.client.refetch()).rejects.toMatchObject({ code: 'signed_out' });
    expect(tab.state).toMatchObject({ status: 'error', snapshot: null, error: { code: 'other_user' } });
    expect(shown.join()).not.toContain('second');
  });

  it('a page that goes by its session changes to whoever that is of, with nothing left of the first', async () => {
    const { service, open } = aBrowser();
    const changes: unknown[] = [];
    const tab = open({ onAccessChanged: (change) => changes.push(change) }).watch();
    await settled();
    service.snapshot = second;
    await tab.client.refetch().catch(() => undefined);
    await settled();
    expect(tab.state).toMatchObject({
      status: 'live',
      snapshot: { userId: 'second' },
      lastKnown: { userId: 'second' },
    });
    expect(changes).toEqual([]);
  });

  it('a snapshot that came with the page is not shown to anyone but its user', async () => {
    const { open } = aBrowser();
    const tab = open({ userId: 'second', initial: first });
    expect(tab.state).toMatchObject({ status: 'loading', snapshot: null });
  });
});
