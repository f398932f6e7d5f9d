import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

/** Bytes that README states for `@tenure/client`, minified and compressed. */
function stated(): number {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, kilobytes] = /The browser part is ([\d.]+) kB/.exec(readme) ?? [];
  return Number(kilobytes) * 1_000;
}

async function bundle() {
  const build = await rolldown({ input: fileURLToPath(new URL('../index.ts', import.meta.url)) });
  const { output } = await build.generate({ format: 'esm', minify: true });
  await build.close();
  return output[0];
}

describe('The browser part', () => {
  it('is no larger than README says, and depends on no package', async () => {
    const { code, imports, moduleIds } = await bundle();
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(stated());
    expect(imports).toEqual([]);
    expect(moduleIds.filter((id) => !id.includes('/src/browser/') && !id.endsWith('/src/index.ts'))).toEqual(
      [],
    );
  });
});
