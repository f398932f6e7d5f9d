import { existsSync, readFileSync } from 'node:fs';

/** The version of this code: that of `package.json`, and of nothing else. */
export const VERSION = versionIn(JSON.parse(readFileSync(manifestAbove(import.meta.url), 'utf8')));

/** The nearest `package.json` above a file: the sources lie deeper than what is built from them. */
function manifestAbove(file: string): URL {
  const manifest = new URL('package.json', file);
  const above = new URL('..', file);
  return existsSync(manifest) || above.href === file ? manifest : manifestAbove(above.href);
}

function versionIn(manifest: unknown): string {
  const version: unknown = Reflect.get(Object(manifest), 'version');
  if (typeof version !== 'string') throw new Error('package.json names no version');
  return version;
}
