import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { build } from 'vite';
import { buyer } from '../support/buyer.js';
import { keptAsPseudonyms } from '../support/pseudonyms.js';
import { ADMIN_KEY, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { barriers, screenshot, startChromium } from './support/browser.js';

const CONFIG = fileURLToPath(new URL('../../console/vite.config.ts', import.meta.url));

describe('The console', () => {
  let service: TestService;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser refused or reported: a script against the policy, a failed request, an exception. */
  const complaints: string[] = [];

  beforeAll(async () => {
    await build({ configFile: CONFIG, logLevel: 'error' });
    service = await startService({ environment: SHIPPED_PLANS });
    browser = await startChromium();
    context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
  });
  afterAll(async () => {
    await browser?.close();
    await service?.close();
  });
  afterEach(() => {
    const told = complaints.splice(0);
    expect(told).toEqual([]);
  });

  const goTo = async (name: string): Promise<void> => {
    await page.getByRole('navigation').getByRole('link', { name }).click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
  };
  const open = async (userId: string): Promise<void> => {
    await goTo('Users');
    await page.getByLabel('User id').fill(userId);
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { level: 1, name: userId }).waitFor();
  };
  const panel = (name: string) => page.getByRole('region', { name, exact: true });

  it('opens with a key that the service knows, and with no other', async () => {
    await page.goto(`${service.url}/console`);
    expect(page.url()).toBe(`${service.url}/console/`);
    await page.getByLabel('Key').fill('a key that nobody ever made');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('alert').getByText('does not know this key').waitFor();
    // The browser reports the 401 itself.
    expect(complaints.splice(0)).toEqual([expect.stringContaining('401')]);
    await page.getByLabel('Key').fill(ADMIN_KEY);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
  });

  it('shows a buyer with plan, reasons and timeline, and grants and overrides that can be given and taken', async () => {
    const ada = buyer('ada');
    await service.receive(ada.started('active').body);
    const { position } = await service.receive(ada.pays('subscription_create').body);
    await service.entitlements('ada', position);
    await open('ada');
    await panel('Now').getByText('plus').waitFor();
    await panel('Why').getByText('plan', { exact: true }).first().waitFor();
    await panel('Timeline').getByRole('button').click();
    await panel('Timeline').getByText('SubscriptionActivated').first().waitFor();
    await screenshot(page, 'console-user');

    await panel('Grants').getByRole('button', { name: 'Grant something' }).click();
    await page.getByLabel('Plan (may be empty)').fill('pro');
    await page.getByLabel('Why; kept for good').fill('an apology');
    await page.getByRole('button', { name: 'Grant something' }).click();
    await panel('Grants').getByText('an apology').waitFor();
    await panel('Now').getByText('pro', { exact: true }).waitFor();
    await panel('Grants').getByRole('button', { name: 'Take back' }).click();
    await page.getByLabel('Why; kept for good').fill('over');
    await page.getByRole('button', { name: 'Take back' }).click();
    await panel('Grants').getByText('revoked').waitFor();
    await panel('Now').getByText('plus', { exact: true }).waitFor();

    await panel('Overrides').getByRole('button', { name: 'Override something' }).click();
    await page.getByLabel('Feature or limit').fill('no_such_thing');
    await page.getByLabel(/^on, off/).fill('on');
    await page.getByLabel('Why; kept for good').fill('a trial');
    await page.getByRole('button', { name: 'Override something' }).click();
    await panel('Overrides').getByRole('alert').waitFor();
    expect(complaints.splice(0)).toEqual([expect.stringContaining('422')]);
    await page.getByRole('button', { name: 'Leave it' }).click();
  });

  it('lists what belongs to nobody, and links it', async () => {
    const stranger = buyer(null);
    await service.receive(stranger.started('active').body);
    const { position } = await service.receive(stranger.pays('subscription_create').body);
    await service.entitlements('bob', position);
    await goTo('Attention');
    await panel('Unlinked').getByText('customer', { exact: true }).first().waitFor();
    await screenshot(page, 'console-attention');
    const row = panel('Unlinked').getByRole('row', { name: /^customer/ });
    await row.getByRole('button', { name: 'Link to a user' }).click();
    await page.getByLabel('User id').fill('bob');
    await page.getByLabel('Why; kept for good').fill('he told us');
    await row.getByRole('button', { name: 'Link to a user' }).click();
    await panel('Unlinked').getByText('Nothing.').waitFor();
    await open('bob');
    await panel('Now').getByText('plus', { exact: true }).waitFor();
  });

  it('shows what pseudonyms leave to mend where user ids are kept so, and nothing of it elsewhere', async () => {
    const first = page;
    const kept = await startService({ environment: { ...SHIPPED_PLANS, USER_ID_PSEUDONYMS: 'true' } });
    try {
      const carol = buyer('carol');
      await kept.receive(carol.started('active').body);
      const { position } = await kept.receive(carol.pays('subscription_create').body);
      await kept.entitlements('carol', position);
      const { pool } = kept.tenure;
      await pool.query(`insert into tenure.erased_claim values ('sub_erased', 3, now(), now())`);
      const lost = `psn_${'0123456789abcdef'.repeat(2)}`;
      await pool.query(
        `insert into tenure.user_role
         select (jsonb_populate_record(u, jsonb_build_object('user_id', $1::text))).* from tenure.user_role u limit 1`,
        [lost],
      );
      page = await context.newPage();
      await page.goto(`${kept.url}/console/`);
      await page.getByLabel('Key').fill(ADMIN_KEY);
      await page.getByRole('button', { name: 'Open' }).click();
      await goTo('Attention');
      await panel('Claims for erased users')
        .getByRole('row', { name: /^sub_erased 3/ })
        .waitFor();
      await panel('Missing pseudonyms').getByText(lost).waitFor();
      await screenshot(page, 'console-pseudonyms');
    } finally {
      if (page !== first) await page.close();
      page = first;
      await kept.close();
    }
    if (keptAsPseudonyms()) return;
    await goTo('Users');
    const asked = page.waitForResponse(/erased-claims/);
    await goTo('Attention');
    expect(await (await asked).json()).toEqual({ items: [], next: null, userIds: 'as_they_are' });
    await panel('Dead letters').waitFor();
    expect(await panel('Claims for erased users').count()).toBe(0);
  });

  it('rebuilds, and tells how far it is and what would change', async () => {
    await goTo('Projections');
    await panel('Rebuild').getByRole('button', { name: 'Rebuild' }).click();
    await page.getByLabel('Why; kept for good').fill('to look');
    await page.getByRole('button', { name: 'Rebuild' }).click();
    await panel('Rebuild').getByText('Nobody would change.').waitFor({ timeout: 120_000 });
    await screenshot(page, 'console-projections');
    // Before the first rebuild its route answers 404, which the browser reports itself.
    expect(complaints.splice(0).filter((told) => !told.includes('404'))).toEqual([]);
  });

  it('shows deliveries as they come, refused ones too', async () => {
    await goTo('Deliveries');
    await panel('To this instance').getByText('customer.subscription.created').first().waitFor();
    const eve = buyer('eve');
    const body = eve.started('active').body;
    await service.receive(body);
    await service.post(body, 't=1,v1=00');
    await panel('To this instance').getByText('invalid signature').waitFor();
    await screenshot(page, 'console-deliveries');
  });

  it('has no barrier that axe finds on any page, light on a desk or dark on a phone', async () => {
    const lenient = await browser.newContext({ bypassCSP: true });
    const strict = page;
    page = await lenient.newPage();
    await page.goto(`${service.url}/console/`);
    await page.getByLabel('Key').fill(ADMIN_KEY);
    await page.getByRole('button', { name: 'Open' }).click();
    const found: string[] = [];
    for (const name of ['Users', 'Attention', 'Projections', 'Deliveries']) {
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1200, height: 900 });
      await goTo(name);
      await page.getByText('Reading…').first().waitFor({ state: 'hidden' });
      found.push(...(await barriers(page)));
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.setViewportSize({ width: 360, height: 740 });
      found.push(...(await barriers(page)));
      const width = await page.evaluate(
        () => Reflect.get(globalThis, 'document').documentElement.scrollWidth,
      );
      if (width > 360) found.push(`${name} is ${width} px wide on a phone of 360`);
    }
    await lenient.close();
    page = strict;
    expect(found).toEqual([]);
  });

  it('runs under a policy that allows no inline script or style, and no frame', async () => {
    const answer = await fetch(`${service.url}/console/`);
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*/);
    const nothing = await fetch(`${service.url}/console/no-such-file`);
    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([
      404,
      expect.stringContaining('application/problem+json'),
    ]);
  });
});
