import { FakeBrowser, type FakeTab } from '../../test/browser-tab.js';
import { FakeService } from '../../test/fake-service.js';
import { PageClock, settled } from '../../test/page-clock.js';
import { freeSnapshot, paidSnapshot } from '../../test/snapshots.js';
import { until } from '../../test/until.js';
import type { ClientOptions } from './client.js';
import type { AccessChanged } from './session-options.js';
import { parseTabMessage } from './tabs.js';

let counted = 0;
const opened: { readonly tab: FakeTab; readonly clock: PageClock }[] = [];

function aBrowser() {
  const clock = new PageClock();
  const service = new FakeService(freeSnapshot());
  counted += 1;
  const browser = new FakeBrowser(clock, service, `tabs-${counted}`);
  const open = async (options: Partial<ClientOptions> = {}) => {
    const tab = browser.open(options).watch();
    opened.push({ tab, clock });
    await settled();
    return tab;
  };
  return { clock, service, open };
}

afterEach(async () => {
  for (const { tab, clock } of opened.splice(0)) await tab.close(clock);
});

describe('Five tabs of one user', () => {
  it('have one stream, and all show what is pushed, seen by one and told to the others', async () => {
    const { service, open } = aBrowser();
    const changes: AccessChanged[] = [];
    const tabs: FakeTab[] = [];
    for (let n = 0; n < 5; n += 1) {
      tabs.push(await open({ onAccessChanged: (change) => changes.push(change) }));
    }
    const asked = service.count('snapshot');
    expect(service.openStreams).toBe(1);
    service.push(paidSnapshot());
    await until('all tabs show it', () => tabs.every(({ plan }) => plan === 'plus'));
    await until('all tabs tell it', () => changes.length === 5);
    expect(changes.map(({ seenBy }) => seenBy).sort()).toEqual([...Array(4).fill('other_tab'), 'this_tab']);
    expect(service.count('snapshot')).toBe(asked);
  });

  it('show what one of them has seen first by its own poll', async () => {
    const { service, open } = aBrowser();
    const [leader, other] = [await open(), await open()];
    service.change(paidSnapshot());
    await other.client.refetch();
    await until('the tab with the stream shows it', () => leader.plan === 'plus');
  });

  it('have another stream as soon as the tab with the first is closed', async () => {
    const { clock, service, open } = aBrowser();
    const [leader, other] = [await open(), await open()];
    await leader.close(clock);
    await until(
      'the other tab has a stream',
      () => service.count('stream') === 2 && service.openStreams === 1,
    );
    service.push(paidSnapshot());
    await until('it shows what is pushed', () => other.plan === 'plus');
  });

  it('have another stream when the tab with the first has been hidden for two minutes', async () => {
    const { clock, service, open } = aBrowser();
    const [leader, other] = [await open(), await open()];
    leader.isHidden = true;
    await clock.advance(121_000);
    await until('the tab that is looked at has the stream', () => service.openStreams === 1);
    service.push(paidSnapshot());
    await until('it shows what is pushed', () => other.plan === 'plus');
    expect(leader.plan).toBe('free');
    leader.isHidden = false;
    await until('the other one shows it when looked at', () => leader.plan === 'plus');
  });

  it('show that the stream is lost, and ask by themselves when nothing is heard of it any more', async () => {
    const { clock, service, open } = aBrowser();
    const other = [await open(), await open()][1];
    service.instead = ({ route }) => (route === 'stream' ? problem503() : null);
    service.cut('broken');
    await until('the other tab is in doubt', () => other?.state.status === 'stale');
    service.instead = () => 'unreachable';
    service.change(paidSnapshot());
    await clock.advance(40_000);
    service.instead = ({ route }) => (route === 'stream' ? 'unreachable' : null);
    await clock.advance(60_000);
    await until('the other tab has asked', () => other?.plan === 'plus');
  });

  it('send the position of what one of them wrote', async () => {
    const { service, open } = aBrowser();
    const [writer, other] = [await open(), await open()];
    writer.client.wrote('777');
    await until('the other asks with it', async () => {
      await other.client.refetch();
      return service.seen.at(-1)?.minPosition === '777';
    });
  });
});

const problem503 = () => new Response(null, { status: 503 });

describe('A message of a tab', () => {
  const held = { snapshot: paidSnapshot(), etag: '"1"', cursor: null };

  it.each([
    [{ type: 'HELLO', held: null }],
    [{ type: 'LIVE', held }],
    [{ type: 'ROLE_UPGRADED', held }],
    [{ type: 'WRITTEN', position: '7' }],
    [{ type: 'SIGNED_OUT' }],
  ] as const)('is understood: %j', (message) => {
    expect(parseTabMessage({ version: 1, message })).toEqual(message);
  });

  it.each([
    ['of another version', { version: 2, message: { type: 'LOST' } }],
    ['of another kind', { version: 1, message: { type: 'GRANT_ALL' } }],
    ['without a snapshot', { version: 1, message: { type: 'ROLE_CHANGED', held: { snapshot: {} } } }],
    ['with half a position', { version: 1, message: { type: 'WRITTEN', position: 'x' } }],
    ['of somebody else', 'hello'],
  ])('is passed over: %s', (_, value) => {
    expect(parseTabMessage(value)).toBeNull();
  });
});
