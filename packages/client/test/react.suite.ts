import type { ReactNode } from 'react';
import type { ClientOptions } from '../src/browser/client.js';
import type { Snapshot } from '../src/browser/snapshot.js';
import type { Entitlements, FeatureAnswer, TierUpgrade } from '../src/react/index.js';
import { FakeBrowser, type FakeTab } from './browser-tab.js';
import { FakeService, problem } from './fake-service.js';
import { PageClock, settled } from './page-clock.js';
import { DomPage } from './react-dom-page.js';
import { type LoadedReact, loadReact } from './react-versions.js';
import { freeSnapshot, paidSnapshot } from './snapshots.js';

const PLANS = {
  plans: [
    aPlan({ plan: 'free', isDefault: true, role: 'free', sellable: false }),
    aPlan({
      plan: 'plus',
      rank: 1,
      features: ['export'],
      limits: { members: 500 },
      prices: { monthly: aPrice(1_000) },
    }),
    aPlan({ plan: 'pro', rank: 2, limits: { members: 'unlimited' }, prices: { monthly: aPrice(2_990) } }),
    aPlan({ plan: 'old', rank: 3, sellable: false, prices: { monthly: aPrice(500) } }),
  ],
  addons: [],
};

function aPlan(changes: object) {
  const plan = { isDefault: false, rank: 0, role: 'paid', features: [], limits: {}, perUnit: {} };
  return { ...plan, sellable: true, trialDays: 0, prices: {}, ...changes };
}

function aPrice(amount: number) {
  const price = { name: 'p', id: 'price_1', active: true, currency: 'usd', interval: 'month' };
  return { ...price, amount, intervalCount: 1, usageType: 'licensed' };
}

type Tenure = LoadedReact['tenure'];
interface ProbeProps<Told> {
  readonly tenure: Tenure;
  readonly tell: (told: Told) => void;
}

function EntitlementsProbe({ tenure, tell }: ProbeProps<Entitlements>): ReactNode {
  const told = tenure.useEntitlements();
  tell(told);
  return `${told.snapshot?.userId ?? 'nobody'} ${told.status}`;
}

function FeatureProbe({ tenure, tell }: ProbeProps<FeatureAnswer>): ReactNode {
  const told = tenure.useFeature('export');
  tell(told);
  return `${told.allowed} ${told.reason} ${told.status}`;
}

function UpgradeProbe({ tenure, tell }: ProbeProps<TierUpgrade>): ReactNode {
  const told = tenure.useTierUpgrade();
  tell(told);
  return told.state;
}

/** What holds of the React part, whichever React it is used with. */
export function describeReact(fromPackage: string, version: string): void {
  describe(`The React part with React ${version}`, () => {
    let page: DomPage;
    let loaded: LoadedReact;
    let counted = 0;

    beforeAll(async () => {
      page = new DomPage();
      loaded = await loadReact(fromPackage);
    });
    afterAll(() => page.close());

    function aTab(snapshot: Snapshot = freeSnapshot(), options: Partial<ClientOptions> = {}) {
      const clock = new PageClock();
      const service = new FakeService(snapshot);
      service.plans = PLANS;
      counted += 1;
      const browser = new FakeBrowser(clock, service, `react-${version}-${counted}`);
      const tab = browser.open(options, { openChannel: null, locks: null });
      return { clock, service, tab };
    }

    /** Renders below a provider, and tells what the page shows. */
    async function render(tab: FakeTab, content: ReactNode) {
      const { react, client, tenure } = loaded;
      const container = page.container();
      const root = client.createRoot(container as unknown as Element);
      const show = (node: ReactNode) =>
        react.act(async () => {
          root.render(
            react.createElement(
              react.StrictMode,
              null,
              react.createElement(tenure.TenureProvider, { client: tab.client }, node),
            ),
          );
          await settled();
        });
      await show(content);
      const unmount = () => react.act(async () => root.unmount());
      return { container, unmount, text: () => container.textContent };
    }

    const acting = (run: () => Promise<unknown> | unknown) =>
      loaded.react.act(async () => {
        await run();
        await settled();
      });

    const exportFeature = () =>
      loaded.react.createElement(
        loaded.tenure.Feature,
        { name: 'export', loading: 'wait', fallback: 'buy' },
        'export now',
      );

    it('is the version that it says', () => {
      expect(loaded.react.version.split('.')[0]).toBe(version);
    });

    it('shows neither a feature nor its fallback until the service has answered, then what holds', async () => {
      const { service, tab } = aTab();
      service.instead = () => 'held back';
      const { text, unmount } = await render(tab, exportFeature());
      expect(text()).toBe('wait');
      await unmount();
      const other = aTab();
      const shown = await render(other.tab, exportFeature());
      expect(shown.text()).toBe('buy');
      await acting(() => other.service.push(paidSnapshot()));
      expect(shown.text()).toBe('export now');
      await acting(() => other.service.push(freeSnapshot({ revocationVersion: 2, position: '140' })));
      expect(shown.text()).toBe('buy');
      await shown.unmount();
    });

    it('renders on a server what it was given, and the browser begins with the same', async () => {
      const { react, client, server, tenure } = loaded;
      const { service, tab } = aTab(paidSnapshot(), { initial: paidSnapshot() });
      const app = react.createElement(tenure.TenureProvider, { client: tab.client }, exportFeature());
      const html = server.renderToString(app);
      expect(html).toBe('export now');
      expect(service.seen).toEqual([]);
      const container = page.container();
      container.innerHTML = html;
      const faults: unknown[] = [];
      let root: { unmount(): void } | undefined;
      await acting(() => {
        root = client.hydrateRoot(container as unknown as Element, app, {
          onRecoverableError: (error) => faults.push(error),
        });
      });
      expect([container.textContent, faults]).toEqual(['export now', []]);
      await acting(() => root?.unmount());
    });

    it('makes a client by itself, on a server too, where nothing is known', () => {
      const { react, server, tenure } = loaded;
      const app = react.createElement(
        tenure.TenureProvider,
        { baseUrl: '/api/tenure', userId: 'u1' },
        exportFeature(),
      );
      expect(server.renderToString(app)).toBe('wait');
    });

    it('shows the next user nothing of the one before', async () => {
      const { react, client, tenure } = loaded;
      const first = aTab(paidSnapshot({ userId: 'first' }));
      const { environment } = first.tab;
      const container = page.container();
      const root = client.createRoot(container as unknown as Element);
      const seen: unknown[] = [];
      const tell = ({ snapshot }: Entitlements) => seen.push(snapshot?.userId);
      const show = (userId: string) =>
        acting(() =>
          root.render(
            react.createElement(
              tenure.TenureProvider,
              { baseUrl: 'https://x.test', userId, environment },
              react.createElement(EntitlementsProbe, { tenure, tell }),
            ),
          ),
        );
      await show('first');
      expect(container.textContent).toBe('first live');
      first.service.snapshot = freeSnapshot({ userId: 'second' });
      seen.length = 0;
      await show('second');
      expect(container.textContent).toBe('second live');
      expect(seen).not.toContain('first');
      expect(first.service.openStreams).toBe(1);
      await acting(() => root.unmount());
    });

    it('tells of a feature why it is refused, and asks anew when told to', async () => {
      const { react, tenure } = loaded;
      const { service, tab } = aTab(freeSnapshot({ status: 'unpaid' }));
      let refetch = async () => {};
      const tell = (feature: FeatureAnswer) => {
        refetch = feature.refetch;
      };
      const { text, unmount } = await render(tab, react.createElement(FeatureProbe, { tenure, tell }));
      expect(text()).toBe('false suspended live');
      service.change(paidSnapshot());
      await acting(() => refetch());
      expect(text()).toBe('true held live');
      service.instead = () => 'unreachable';
      await acting(() => refetch());
      expect(text()).toBe('true held stale');
      await unmount();
    });

    it('waits for an upgrade, says when a minute is over, and still when it comes late', async () => {
      const { react, tenure } = loaded;
      const { clock, service, tab } = aTab();
      let upgrade: TierUpgrade | undefined;
      const tell = (told: TierUpgrade) => {
        upgrade = told;
      };
      const { text, unmount } = await render(tab, react.createElement(UpgradeProbe, { tenure, tell }));
      const minute = async () => {
        for (let tenth = 0; tenth < 7; tenth += 1) {
          service.heartbeat();
          await clock.advance(10_000);
        }
      };
      expect(text()).toBe('idle');
      await acting(() => upgrade?.start({ plan: 'plus' }));
      expect(text()).toBe('waiting');
      await acting(minute);
      expect(text()).toBe('timedOut');
      await acting(() => upgrade?.retry());
      expect(text()).toBe('waiting');
      await acting(minute);
      expect(text()).toBe('timedOut');
      await acting(() => service.push(paidSnapshot()));
      expect([text(), upgrade?.snapshot?.plan]).toEqual(['upgraded', 'plus']);
      await unmount();
    });

    it('lists plans for sale with their prices, marks the one that is held, and begins to buy', async () => {
      const { react, tenure } = loaded;
      const { service, tab } = aTab(paidSnapshot());
      const went: unknown[] = [];
      const table = react.createElement(tenure.PricingTable, {
        successUrl: 'https://app.test/welcome',
        cancelUrl: 'https://app.test/plans',
        onCheckout: ({ url }) => went.push(url),
      });
      const { container, unmount } = await render(tab, table);
      const items = [...container.querySelectorAll('li[data-plan]')];
      expect(items.map((item) => item.querySelector('h3')?.textContent)).toEqual(['free', 'plus', 'pro']);
      expect(items.map((item) => item.querySelector('[data-price]')?.textContent)).toEqual([
        'Free',
        '$10 / month',
        '$29.90 / month',
      ]);
      expect(items.map((item) => item.getAttribute('data-current'))).toEqual(['false', 'true', 'false']);
      const buttons = [...container.querySelectorAll('button')];
      expect(buttons).toHaveLength(1);
      await acting(() => buttons[0]?.click());
      expect(service.seen.at(-1)).toMatchObject({
        route: 'checkout',
        body: { userId: 'u1', plan: 'pro', interval: 'monthly' },
      });
      expect(went).toEqual(['https://checkout.stripe.com/c/pay/cs_1']);
      service.instead = ({ route }) => (route === 'checkout' ? problem(409, 'payment_due') : null);
      await acting(() => buttons[0]?.click());
      expect(container.querySelector('[role=alert]')?.textContent).toBe(
        'This did not work. Please try again.',
      );
      await unmount();
    });

    it('says where a hook has no provider', () => {
      const { react, server, tenure } = loaded;
      const alone = react.createElement(FeatureProbe, { tenure, tell: () => {} });
      expect(() => server.renderToString(alone)).toThrow('no TenureProvider');
    });
  });
}
