/**
 * `node scripts/pin-digests.mjs`: looks up what every image and every GitHub action of this repository is right now, and
 * writes it beside the version: `node:24.22.3-bookworm-slim@sha256:…`, `actions/checkout@<commit> # v6.0.2`. What was
 * pinned before is looked up anew. Needs a network. Writes all files or, where one look-up fails, none (exit code 1).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKFLOWS = join('.github', 'workflows');
/** `FROM node:24-slim`, `image: postgres:17.7`, both with or without a digest. */
const IMAGE =
  /^(?<before>[ \t]*(?:FROM|image:)[ \t]+)(?<name>[\w./-]+):(?<tag>[\w.-]+)(?:@sha256:[0-9a-f]{64})?/gm;
/** `uses: owner/repository@v1.2.3`, or `…@<commit> # v1.2.3`. */
const ACTION =
  /^(?<before>\s*-?\s*uses:\s+)(?<name>[\w-]+\/[\w.-]+)@(?:[0-9a-f]{40}\s+#\s+)?(?<tag>v[\w.-]+)/gm;
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const WITHIN_MS = 20_000;

/** Where digests are looked up. */
export const PUBLIC = {
  tokens: 'https://auth.docker.io',
  registry: 'https://registry-1.docker.io',
  github: 'https://api.github.com',
};

/** The text of a file with every image and action pinned to what `lookUp` answers. */
export async function pinned(text, lookUp) {
  const found = new Map();
  for (const [kind, pattern] of [
    ['image', IMAGE],
    ['action', ACTION],
  ]) {
    for (const { groups } of text.matchAll(pattern)) {
      const key = `${kind} ${groups.name} ${groups.tag}`;
      if (!found.has(key)) found.set(key, await lookUp[kind](groups.name, groups.tag));
    }
  }
  const of = (kind, { name, tag }) => found.get(`${kind} ${name} ${tag}`);
  return text
    .replace(IMAGE, (...match) => {
      const groups = match.at(-1);
      return `${groups.before}${groups.name}:${groups.tag}@${of('image', groups)}`;
    })
    .replace(ACTION, (...match) => {
      const groups = match.at(-1);
      return `${groups.before}${groups.name}@${of('action', groups)} # ${groups.tag}`;
    });
}

/** Look-ups of Docker Hub (OCI Distribution Specification, "Pulling manifests") and of GitHub ("Get a commit"). */
export function lookUpAt({ tokens, registry, github }) {
  return {
    async image(name, tag) {
      const repository = name.includes('/') ? name : `library/${name}`;
      const asked = new URLSearchParams({
        service: 'registry.docker.io',
        scope: `repository:${repository}:pull`,
      });
      const { token } = await (await get(`${tokens}/token?${asked}`, {})).json();
      const answer = await get(`${registry}/v2/${repository}/manifests/${tag}`, {
        accept: MANIFESTS,
        authorization: `Bearer ${token}`,
      });
      return matching(/^sha256:[0-9a-f]{64}$/, answer.headers.get('docker-content-digest'), `${name}:${tag}`);
    },
    async action(name, tag) {
      const answer = await get(`${github}/repos/${name}/commits/${tag}`, {
        accept: 'application/vnd.github.sha',
      });
      return matching(/^[0-9a-f]{40}$/, (await answer.text()).trim(), `${name}@${tag}`);
    },
  };
}

async function get(url, headers) {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(WITHIN_MS) });
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return answer;
}

function matching(pattern, text, what) {
  if (text === null || !pattern.test(text)) throw new Error(`no digest of ${what} was found`);
  return text;
}

async function main() {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const workflows = readdirSync(join(root, WORKFLOWS)).map((file) => join(WORKFLOWS, file));
  const files = ['Dockerfile', 'docker-compose.yml', ...workflows].map((file) => join(root, file));
  const texts = new Map();
  for (const file of files) texts.set(file, await pinned(readFileSync(file, 'utf8'), lookUpAt(PUBLIC)));
  for (const [file, text] of texts) writeFileSync(file, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    process.stderr.write(`pin-digests: nothing was written: ${error.message}\n`);
    process.exitCode = 1;
  });
}
