import { existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { until } from '../../support/until.js';

const SCREENSHOTS = fileURLToPath(new URL('../../../.screenshots/', import.meta.url));

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Chromium without its window takes a third of the CPU. */
const CHROMIUM = ['chromium-headless-shell', 'chromium'];

/** Starts the Chromium that the machine has. */
export function startChromium(): Promise<Browser> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const files = CHROMIUM.flatMap((name) => folders.map((folder) => join(folder, name)));
  const executablePath = files.find((file) => existsSync(file));
  if (executablePath === undefined) throw new Error('There is no chromium on the PATH.');
  // A container runs everything as root, whom Chromium allows no sandbox, and has little shared memory.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** One person's browser at an application, signed in by a cookie. */
export class Person {
  private constructor(
    private readonly context: BrowserContext,
    private readonly page: string,
  ) {}

  /** @param page address of the page that each tab of theirs opens */
  static async at(browser: Browser, page: string, name: string): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 480, height: 560 } });
    await context.addCookies([{ name: 'user', value: name, url: new URL(page).origin }]);
    return new Person(context, page);
  }

  /** Opens so many tabs, each of which shows what the service says. */
  async open(count: number): Promise<readonly Page[]> {
    const pages: Page[] = [];
    for (let opened = 0; opened < count; opened += 1) pages.push(await this.openOne());
    return pages;
  }

  async openOne(prepare: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
    const page = await this.openUnread(prepare);
    await allShow([page], 'connection', 'live');
    return page;
  }

  /** Opens a tab, whatever it shows. */
  async openUnread(prepare: (page: Page) => Promise<unknown> = async () => {}): Promise<Page> {
    const page = await this.context.newPage();
    await prepare(page);
    await page.goto(this.page);
    return page;
  }

  close(): Promise<void> {
    return this.context.close();
  }
}

/** Waits until an element of all these pages has this text. */
export async function allShow(pages: readonly Page[], id: string, text: string): Promise<void> {
  for (const page of pages) {
    await until(`${id} is ${text}`, async () => (await page.textContent(`#${id}`)) === text);
  }
}

/** Begins to wait for a plan in a page. */
export function waitFor(page: Page, plan: string): Promise<unknown> {
  return page.evaluate(`waitFor(${JSON.stringify(plan)})`);
}

/** Keeps what a page looks like, for people to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/**
 * Rules of WCAG that a page breaks (axe-core), by rule and element. Axe is a script of its own, which a page's policy lets in
 * only where the browser's context has `bypassCSP`.
 */
export async function barriers(page: Page): Promise<readonly string[]> {
  await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { violations } = await Reflect.get(globalThis, 'axe').run();
    return violations.flatMap(({ id, nodes }: { id: string; nodes: { html: string }[] }) =>
      nodes.map(({ html }) => `${id}: ${html}`),
    );
  });
}
