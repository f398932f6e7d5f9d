import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A new folder of mode 0700 for what a test does on disk much: in memory where that has room (`global-setup.mjs`). Whoever
 * asks removes it.
 */
export function testFolder(prefix: string): Promise<string> {
  const parent = process.env.TENURE_TEST_FOLDER;
  if (parent === undefined) throw new Error('no folder: test/support/global-setup.mjs has not run');
  return mkdtemp(join(parent, prefix));
}
