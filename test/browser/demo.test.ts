import { rm } from 'node:fs/promises';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type DemoShop, openShop } from '../../demo/web/open-shop.js';
import { testFolder } from '../support/folder.js';
import { type TestStores, testStores } from '../support/stores.js';
import { barriers, screenshot, startChromium } from './support/browser.js';

describe('The shop of the demo', () => {
  let stores: TestStores;
  let folder: string;
  let shop: DemoShop;
  let browser: Browser;
  let context: BrowserContext;
  const complaints: string[] = [];

  beforeAll(async () => {
    stores = await testStores();
    folder = await testFolder('demo-');
    const environment = { ...stores.environment, DATABASE_URL: stores.database.url, LOG_LEVEL: 'silent' };
    shop = await openShop(folder, { environment, hooks: { threads: 'none' } });
    browser = await startChromium();
    context = await browser.newContext({ viewport: { width: 1100, height: 900 }, bypassCSP: true });
  });
  afterAll(async () => {
    await browser?.close();
    await shop?.close();
    await stores?.drop();
    await rm(folder, { recursive: true, force: true });
  });

  async function tab(): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(shop.url);
    return page;
  }
  const plan = (page: Page, name: string) =>
    page.getByRole('heading', { level: 1, name: new RegExp(`^${name} `) });
  const toast = (page: Page, text: string) => page.getByRole('status').getByText(text);
  async function buy(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: `Get ${name}` }).click();
    await page.getByRole('button', { name: 'Subscribe' }).waitFor();
    await page.locator('input[name=card]').fill('4242 4242 4242 4242');
    await page.getByRole('button', { name: 'Subscribe' }).click();
    await page.waitForURL(`${shop.url}/**`);
  }

  it('sells a plan, which every tab then shows with its reason, and ends it at once everywhere', async () => {
    const first = await tab();
    expect(await barriers(first)).toEqual([]);
    await first.getByRole('button', { name: 'ada' }).click();
    await plan(first, 'free').waitFor();
    const second = await tab();
    await plan(second, 'free').waitFor();
    await second.getByText('live').waitFor();
    let readings = 0;
    second.on('request', (request) => {
      if (request.url().endsWith('/api/why')) readings += 1;
    });

    await buy(first, 'plus');
    await plan(first, 'plus').waitFor();
    await first.getByText(/your payment is here: welcome to plus/i).waitFor();
    await plan(second, 'plus').waitFor();
    await toast(second, 'Welcome to plus.').waitFor();
    await second.getByText('✓ export').waitFor();
    await second.getByText(/SubscriptionActivated/).waitFor();
    await screenshot(second, 'demo-plus');
    await second.emulateMedia({ colorScheme: 'dark' });
    await second.setViewportSize({ width: 360, height: 740 });
    expect(await barriers(second)).toEqual([]);
    await screenshot(second, 'demo-phone-dark');

    second.once('dialog', (dialog) => void dialog.accept());
    await second.getByRole('button', { name: 'Cancel now' }).click();
    await plan(second, 'free').waitFor();
    await plan(first, 'free').waitFor();
    await first.getByText('✗ export').waitFor();
    await second.getByText(/SubscriptionCanceled/).waitFor();
    expect(readings).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('says that a payment is on its way while its webhook is kept back, and shows the plan when it comes', async () => {
    const page = await context.newPage();
    await page.goto(shop.url);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'grace' }).click();
    await page.getByLabel('Keep back webhooks').check();
    await buy(page, 'pro');
    await page.getByText(/on its way/).waitFor();
    await plan(page, 'free').waitFor();
    // The page was loaded anew: its box says what it said at the start.
    const box = page.getByLabel('Keep back webhooks');
    await box.check();
    await box.uncheck();
    await plan(page, 'pro').waitFor();
    await page.getByText(/your payment is here: welcome to pro/i).waitFor();
  });

  it('says what cannot be read, and reads it when it can be', async () => {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    const isAway = (url: URL): boolean => ['/api/session', '/api/why'].includes(url.pathname);
    await page.route(isAway, (route) => route.abort());
    await page.goto(shop.url);
    await page.getByRole('alert').waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.unroute(isAway);
    await page.route('**/api/why', (route) => route.abort());
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('The audit cannot be read just now.').waitFor();
    await page.unroute('**/api/why');
    await page.getByText(/SubscriptionActivated/).waitFor();
    await page.getByText('The audit cannot be read just now.').waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });
});
