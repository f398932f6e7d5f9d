import type { Browser } from 'playwright-core';
import type { SnapshotByBothClocks } from '../../src/audit/export/both-clocks.js';
import { summaryPage } from '../../src/audit/export/summary-page.js';
import { KEY, ORIGIN } from '../support/small-export.js';
import { barriers, screenshot, startChromium } from './support/browser.js';

const DAY_MS = 24 * 3_600_000;
const day = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * DAY_MS).toISOString();
const HOSTILE = `<img src=x onerror="document.title='taken'">`;

/** A moment at which `served` and `held` came to be these plans. */
function moment(
  n: number,
  served: string,
  held: string,
  type: string | null,
  by = HOSTILE,
): SnapshotByBothClocks {
  const of = (plan: string) => ({ plan, role: plan === 'free' ? 'free' : 'paid', status: 'active' });
  const cause = type === null ? null : { kind: 'event', type, stripe: null, actor: by, reason: by };
  const changed = [{ field: 'plan' }];
  const reasons = { served: [{ of: 'plan', words: 'a rule decided' }], held: [] };
  // Of a snapshot the page reads no more than this.
  const told = { moment: day(n), served: of(served), held: of(held), cause, changed, reasons };
  return told as unknown as SnapshotByBothClocks;
}

const exported = {
  userId: `ann ${HOSTILE}`,
  origin: ORIGIN,
  exportedAt: day(300),
  release: '0.0.0',
  keys: [KEY.kept],
  checkpoint: KEY.checkpoint(10),
  older: [],
  events: [],
  wholeStreams: new Set<string>(),
};

describe('The page of an export', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser?.close());

  it('can be read by everyone, runs nothing, asks for nothing, and shows a hostile text as it is', async () => {
    const snapshots = [
      moment(0, 'free', 'plus', null),
      moment(9, 'plus', 'plus', 'SubscriptionActivated'),
      moment(99, 'pro', 'pro', 'SubscriptionPlanChanged'),
      moment(200, 'pro', 'free', null),
      moment(210, 'free', 'free', 'SubscriptionCanceled'),
    ];
    const context = await browser.newContext({ bypassCSP: true, viewport: { width: 1000, height: 1100 } });
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.setContent(summaryPage({ ...exported, snapshots }));
    expect(await page.title()).toBe(`What ann ${HOSTILE} could do`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(`What ann ${HOSTILE} could do`);
    expect(await page.locator('img, script, link, iframe').count()).toBe(0);
    expect(await page.getByRole('row').count()).toBe(snapshots.length + 1);
    const timeline = page.getByRole('img', { name: 'Roles over time' });
    expect(await timeline.locator('rect').count()).toBe(4 + 3);
    await page.getByText('Last served: free (role free, active), since 2026-07-30 00:00:00.').waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(asked).toEqual([]);
    await screenshot(page, 'export-summary');
    await context.close();
  });

  it('of many changes shows the newest, and is printed on one sheet', async () => {
    const page = await browser.newPage();
    const snapshots = Array.from({ length: 40 }, (_, n) =>
      moment(n, n % 2 === 0 ? 'free' : 'plus', 'plus', 'SubscriptionUpdated', 'key:0123456789abcdef'),
    );
    await page.setContent(summaryPage({ ...exported, userId: 'ann', snapshots }));
    await page.getByText('The newest 8; 32 before them are in export.ndjson.').waitFor();
    expect(await page.getByRole('row').count()).toBe(9);
    const sheets = (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type\s*\/Page\b/g);
    expect(sheets).toHaveLength(1);
    await page.close();
  });
});
