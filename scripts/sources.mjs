/** What `dist` is made of, as one hash, and the note in `dist` of which hash it was made from. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const NOTE = join('dist', '.sources');
const FOLDERS = ['src', 'console'];
const SETTINGS = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * SHA-256 over the sources that are compiled, the compiler's settings and the locked packages of the project at `root`.
 * Contents count, not times: a checkout gives old files new times, and a backup new files old ones.
 */
export function sourcesOf(root) {
  const sources = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
      .map((entry) => relative(root, join(entry.parentPath, entry.name))),
  );
  const hash = createHash('sha256');
  for (const file of [...SETTINGS, ...sources.sort()]) {
    const text = readFileSync(join(root, file));
    hash.update(`${file.split(sep).join('/')} ${text.length}\n`).update(text);
  }
  return hash.digest('hex');
}

/** Why `dist` has to be built, for a person to read; `null` when it is of the sources as they are. */
export function whyBuild(root) {
  const note = join(root, NOTE);
  if (!existsSync(note)) return 'there is no whole build yet';
  return readFileSync(note, 'utf8') === sourcesOf(root)
    ? null
    : 'the sources are not those of the last build';
}

/** Notes that `dist` was made from `sources`: the last step of a build, so one that was cut short does not count. */
export function noteBuild(root, sources) {
  writeFileSync(join(root, NOTE), sources);
}
