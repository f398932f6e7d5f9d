import { readFileSync } from 'node:fs';

/** `package.json` lies two folders above this file, in the sources and in `dist` alike. */
const PACKAGE = new URL('../../package.json', import.meta.url);

/** The version of this code: that of `package.json`, and of nothing else. */
export const VERSION = versionIn(JSON.parse(readFileSync(PACKAGE, 'utf8')));

function versionIn(manifest: unknown): string {
  const version: unknown = Reflect.get(Object(manifest), 'version');
  if (typeof version !== 'string') throw new Error('package.json names no version');
  return version;
}
