import type { Browser, Page } from 'playwright-core';
import { Shop } from '../e2e/support/shop.js';
import { startService } from '../support/service.js';
import { SECRET } from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { Application } from './support/application.js';
import { allShow, Person, screenshot, startChromium, waitFor } from './support/browser.js';

const DAY_SECONDS = 86_400;
const PLUS = { plan: 'plus', interval: 'monthly' };
const PRO = { plan: 'pro', interval: 'monthly' };

describe('In a real browser', () => {
  let shop: Shop;
  let application: Application;
  let browser: Browser;
  const people: Person[] = [];

  beforeAll(async () => {
    shop = await Shop.open({ startsAgo: 40 * DAY_SECONDS });
    application = await Application.start(() => shop.service);
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
  });

  async function person(name: string): Promise<Person> {
    const one = await Person.at(browser, application.url, name);
    people.push(one);
    return one;
  }

  /** The subscription of a user, of whom there is one. */
  async function subscriptionOf(user: string): Promise<string> {
    const [subscription] = await shop.runningOf(user);
    if (subscription === undefined) throw new Error(`${user} has no subscription`);
    return subscription.id;
  }

  it('five tabs show an upgrade, a failed payment and a cancellation, by one stream', async () => {
    const pages = await (await person('anna')).open(5);
    await allShow(pages, 'plan', 'free');
    await waitFor(pages[1] as Page, 'plus');
    await shop.buy('anna', PLUS);
    await allShow(pages, 'plan', 'plus');
    await allShow(pages.slice(1, 2), 'upgrade', 'upgraded');
    await screenshot(pages[4] as Page, 'five-tabs-upgraded');
    expect(application.streams.filter((user) => user === 'anna')).toHaveLength(1);
    await shop.cardBecomes('anna', 'pm_card_chargeCustomerFail');
    await shop.later(32 * DAY_SECONDS);
    await shop.heard();
    await allShow(pages, 'status', 'past_due');
    await screenshot(pages[4] as Page, 'five-tabs-payment-failed');
    await shop.stripe.subscriptions.cancel(await subscriptionOf('anna'));
    await shop.heard();
    await allShow(pages, 'plan', 'free');
    await screenshot(pages[4] as Page, 'five-tabs-cancelled');
  });

  it('another tab takes over when the one with the stream is closed', async () => {
    const [first, second] = (await (await person('bert')).open(2)) as [Page, Page];
    await first.close();
    await until(
      'the other tab asks for a stream',
      () => application.streams.filter((user) => user === 'bert').length === 2,
    );
    await shop.buy('bert', PLUS);
    await allShow([second], 'plan', 'plus');
    await screenshot(second, 'taken-over');
  });

  it('a webhook that is delayed beyond the wait is said, and still counts when it comes', async () => {
    const one = await person('cleo');
    const page = await one.openOne((opened) => opened.clock.install());
    const other = await one.openOne();
    application.holdWebhooks();
    await waitFor(page, 'plus');
    const { body } = await shop.begin('cleo', PLUS);
    await shop.pay(body.sessionId);
    await until('a minute is over', async () => {
      await page.clock.runFor(5_000);
      return (await page.textContent('#upgrade')) === 'timedOut';
    });
    await screenshot(page, 'timed-out');
    await application.releaseWebhooks();
    await until('it has come', async () => {
      await page.clock.runFor(500);
      return (await page.textContent('#upgrade')) === 'upgraded';
    });
    await allShow([page, other], 'plan', 'plus');
    await screenshot(page, 'upgraded-late');
  });

  it('a service that is restarted during the wait is found again', async () => {
    const pages = await (await person('dora')).open(2);
    await shop.buy('dora', PLUS);
    await allShow(pages, 'plan', 'plus');
    await waitFor(pages[0] as Page, 'pro');
    const { environment, stores } = shop.service;
    const other = await startService({ stores, environment });
    const begun = await shop.begin('dora', PRO);
    await shop.service.close();
    await allShow(pages.slice(0, 1), 'connection', 'stale');
    await screenshot(pages[0] as Page, 'service-away');
    shop.service = other;
    await shop.confirm(begun.body.url);
    await allShow(pages, 'plan', 'pro');
    await allShow(pages.slice(0, 1), 'upgrade', 'upgraded');
    await screenshot(pages[0] as Page, 'service-back');
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
