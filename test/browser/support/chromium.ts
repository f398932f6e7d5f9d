import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Pictures that tests take of pages: kept as output, for people to look at. */
const PICTURES = fileURLToPath(new URL('../../../coverage/pictures', import.meta.url));

/** Starts Debian's Chromium, the one on the PATH. Call `close` in `afterAll`. */
export async function launchChromium(): Promise<Browser> {
  const folder = (process.env.PATH ?? '')
    .split(delimiter)
    .find((each) => isExecutable(join(each, 'chromium')));
  if (folder === undefined) throw new Error('chromium is not on the PATH: apt-get install chromium');
  // A container runs everything as root, whom Chromium allows no sandbox, and has little shared memory.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'];
  return chromium.launch({ executablePath: join(folder, 'chromium'), args });
}

/** Keeps a picture of the whole page under `name`. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
