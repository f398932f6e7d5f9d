import type { Browser, Page } from 'playwright-core';
import { APP, Shop } from '../e2e/support/shop.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { startService } from '../support/service.js';
import { SECRET } from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { Application } from './support/application.js';
import { allShow, Person, screenshot, startChromium, waitFor } from './support/browser.js';

const DAY_SECONDS = 86_400;
const PLUS = { plan: 'plus', interval: 'monthly' };
const PRO = { plan: 'pro', interval: 'monthly' };

/** Somebody, and the tabs that they have open. */
interface Visitor {
  readonly user: string;
  readonly first: Page;
  readonly second: Page;
  readonly pages: readonly Page[];
}

describe('In a real browser', () => {
  let identities: IdentityProvider;
  let shop: Shop;
  let application: Application;
  let browser: Browser;
  const people: Person[] = [];

  beforeAll(async () => {
    identities = await IdentityProvider.start();
    application = await Application.start(() => shop.service, identities);
    shop = await Shop.open({
      startsAgo: 90 * DAY_SECONDS,
      environment: { ...identities.environment, CORS_ORIGINS: application.url },
    });
    const destination = shop.simulator.webhooks.destinations.get('we_1');
    if (destination === undefined) throw new Error('a shop that hears nothing');
    shop.simulator.webhooks.destinations.set('we_1', {
      ...destination,
      url: `${application.url}/webhooks`,
      secret: SECRET,
    });
    browser = await startChromium();
  });
  afterEach(async () => {
    for (const person of people.splice(0)) await person.close();
  });
  afterAll(async () => {
    await browser?.close();
    await application?.close();
    await shop?.close();
    await identities?.close();
  });

  async function person(name: string, page = `${application.url}/?user=${name}`): Promise<Person> {
    const one = await Person.at(browser, page, name);
    people.push(one);
    return one;
  }

  async function visitor(user: string, count: number): Promise<Visitor> {
    const pages = await (await person(user)).open(count);
    return { user, first: pages[0] as Page, second: pages[1] as Page, pages };
  }

  /** Somebody with two tabs and somebody with five. */
  async function twoAndFive(name: string): Promise<readonly Visitor[]> {
    return [await visitor(`${name}_2`, 2), await visitor(`${name}_5`, 5)];
  }

  /** The subscription of a user, of whom there is one. */
  async function subscriptionOf(user: string): Promise<string> {
    const [subscription] = await shop.runningOf(user);
    if (subscription === undefined) throw new Error(`${user} has no subscription`);
    return subscription.id;
  }

  it('two tabs and five show an upgrade, a failed payment and a cancellation, by one stream each', async () => {
    const visitors = await twoAndFive('anna');
    for (const { user, second, pages } of visitors) {
      await waitFor(second, 'plus');
      await shop.buy(user, PLUS);
      await allShow(pages, 'plan', 'plus');
      await allShow([second], 'upgrade', 'upgraded');
      await screenshot(second, `${user}-upgraded`);
      expect(application.streamsOf(user)).toBe(1);
      await shop.cardBecomes(user, 'pm_card_chargeCustomerFail');
    }
    await shop.later(32 * DAY_SECONDS);
    await shop.heard();
    for (const { user, second, pages } of visitors) {
      await allShow(pages, 'status', 'past_due');
      await screenshot(second, `${user}-payment-failed`);
      await shop.stripe.subscriptions.cancel(await subscriptionOf(user));
      await shop.heard();
      await allShow(pages, 'plan', 'free');
      await screenshot(second, `${user}-cancelled`);
    }
  });

  it('a change of metadata and a later renewal date are shown in all tabs, and nothing is asked for because of them', async () => {
    const visitors = await twoAndFive('gina');
    const renewals: (() => Promise<void>)[] = [];
    for (const { user, second, pages } of visitors) {
      await shop.buy(user, PLUS);
      await allShow(pages, 'plan', 'plus');
      await allShow(pages, 'refreshes', '1');
      const paidUntil = await second.textContent('#until');
      const requests = application.requestsOf(user);
      await shop.stripe.subscriptions.update(await subscriptionOf(user), { metadata: { colour: 'green' } });
      await shop.heard();
      renewals.push(async () => {
        for (const page of pages) {
          await until('the new date is shown', async () => (await page.textContent('#until')) !== paidUntil);
        }
        await allShow(pages, 'refreshes', '1');
        await allShow(pages, 'status', 'active');
        expect(application.requestsOf(user)).toBe(requests);
        await screenshot(second, `${user}-renewed`);
      });
    }
    await shop.later(32 * DAY_SECONDS);
    await shop.heard();
    for (const isSeen of renewals) await isSeen();
  });

  it('of two tabs and of five another takes over when the one with the stream is closed', async () => {
    for (const { user, first, pages } of await twoAndFive('bert')) {
      await first.close();
      await until('another tab asks for a stream', () => application.streamsOf(user) === 2);
      await shop.buy(user, PLUS);
      await allShow(pages.slice(1), 'plan', 'plus');
      await screenshot(pages[1] as Page, `${user}-taken-over`);
      expect(application.streamsOf(user)).toBe(2);
    }
  });

  it('a webhook that is delayed beyond the wait is said, and still counts in two tabs and in five when it comes', async () => {
    const visitors: Visitor[] = [];
    for (const [user, others] of [
      ['cleo_2', 1],
      ['cleo_5', 4],
    ] as const) {
      const one = await person(user);
      const first = await one.openOne((opened) => opened.clock.install());
      const more = await one.open(others);
      visitors.push({ user, first, second: more[0] as Page, pages: [first, ...more] });
    }
    application.holdWebhooks();
    for (const { user, first } of visitors) {
      await waitFor(first, 'plus');
      const { body } = await shop.begin(user, PLUS);
      await shop.pay(body.sessionId);
    }
    for (const { user, first } of visitors) {
      await until('a minute is over', async () => {
        await first.clock.runFor(5_000);
        return (await first.textContent('#upgrade')) === 'timedOut';
      });
      await screenshot(first, `${user}-timed-out`);
    }
    await application.releaseWebhooks();
    for (const { user, first, pages } of visitors) {
      await until('it has come', async () => {
        await first.clock.runFor(500);
        return (await first.textContent('#upgrade')) === 'upgraded';
      });
      await allShow(pages, 'plan', 'plus');
      await screenshot(first, `${user}-upgraded-late`);
    }
  });

  it('with a token of its user a page follows, buys and waits at the service itself, where its origin may', async () => {
    const direct = (origin: string) => `${origin}/?user=hana&service=${encodeURIComponent(shop.service.url)}`;
    const [first, second] = (await (await person('hana', direct(application.url))).open(2)) as [Page, Page];
    await waitFor(first, 'plus');
    const choice = { ...PLUS, successUrl: `${APP}/welcome`, cancelUrl: `${APP}/plans` };
    const session = await first.evaluate(
      `tenure.checkout(${JSON.stringify(choice)}).then(({ sessionId }) => sessionId)`,
    );
    await shop.pay(String(session));
    await allShow([first, second], 'plan', 'plus');
    await allShow([first], 'upgrade', 'upgraded');
    expect(await second.evaluate('tenure.refetch().then(({ plan }) => plan)')).toBe('plus');
    await screenshot(first, 'direct-upgraded');
    await shop.stripe.subscriptions.cancel(await subscriptionOf('hana'));
    await shop.heard();
    await allShow([first, second], 'plan', 'free');
    expect(application.requestsOf('hana')).toBe(0);
    const elsewhere = application.url.replace('localhost', '127.0.0.1');
    const refused = await (await person('hana', direct(elsewhere))).openUnread();
    await allShow([refused], 'connection', 'error');
    await allShow([refused], 'plan', '…');
  });

  it('a service that is restarted during the wait is found again by two tabs and by five', async () => {
    const visitors = await twoAndFive('dora');
    const confirmations: string[] = [];
    for (const { user, first, pages } of visitors) {
      await shop.buy(user, PLUS);
      await allShow(pages, 'plan', 'plus');
      await waitFor(first, 'pro');
      confirmations.push((await shop.begin(user, PRO)).body.url);
    }
    const { environment, stores } = shop.service;
    const other = await startService({ stores, environment });
    await shop.service.close();
    for (const { user, first, pages } of visitors) {
      await allShow(pages, 'connection', 'stale');
      await screenshot(first, `${user}-service-away`);
    }
    shop.service = other;
    for (const url of confirmations) await shop.confirm(url);
    for (const { user, first, pages } of visitors) {
      await allShow(pages, 'plan', 'pro');
      await allShow([first], 'upgrade', 'upgraded');
      await screenshot(first, `${user}-service-back`);
    }
  });

  it('two people one after the other: the second sees nothing of the first', async () => {
    const one = await person('emil');
    const [page] = (await one.open(1)) as [Page];
    await shop.buy('emil', PLUS);
    await allShow([page], 'plan', 'plus');
    await page.context().clearCookies();
    await page.context().addCookies([{ name: 'user', value: 'fred', url: application.url }]);
    const seen: string[] = [];
    const fresh = await page.context().newPage();
    await fresh.exposeFunction('told', (text: string) => seen.push(text));
    await fresh.addInitScript(
      `new MutationObserver(() => told(document.body?.innerText ?? '')).observe(document, { subtree: true, childList: true, characterData: true })`,
    );
    await fresh.goto(`${application.url}/?user=fred`);
    await allShow([fresh], 'connection', 'live');
    await allShow([fresh], 'plan', 'free');
    expect(seen.filter((text) => text.includes('plus') || text.includes('emil'))).toEqual([]);
    expect(await fresh.evaluate('JSON.stringify({ ...localStorage })')).not.toContain('emil');
    await screenshot(fresh, 'second-person');
  });
});
