import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from './version.js';

const SRC = fileURLToPath(new URL('..', import.meta.url));

describe('The version', () => {
  it("is package.json's", () => {
    expect(VERSION).toBe(createRequire(import.meta.url)('../../package.json').version);
  });

  it('is written down nowhere in the sources', () => {
    const withVersion = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .filter((file) => /['"`]\d+\.\d+\.\d+['"`]/.test(readFileSync(join(SRC, file), 'utf8')));
    expect(withVersion).toEqual([]);
  });
});
