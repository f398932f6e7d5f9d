import { SealedSecrets } from '../auth/sealed-secrets.js';
import { loadTokenKeySettings } from '../config/part-settings.js';
import { stateAt, type TimedTokenKey, timed } from '../tokens/token-key.js';
import { makeTokenKey, readTokenKeys } from '../tokens/token-key.repository.js';
import type { JsonOption } from './arguments.js';
import { withServicePool } from './service-pool.js';
import { json, type Terminal, table } from './terminal.js';

const HEADINGS = ['KID', 'ALGORITHM', 'STATE', 'SIGNS FROM', 'SIGNS UNTIL', 'PUBLISHED UNTIL'];

/** `tenure tokens keys`. */
export async function listTokenKeys(terminal: Terminal, options: JsonOption): Promise<void> {
  const keys = await withServicePool(terminal, 'read', ({ pool }) => readTokenKeys(pool));
  const views = timed(keys).map((key) => viewOf(key, Date.now()));
  if (options.json) {
    terminal.out(json(views));
    return;
  }
  const rows = views.map(({ kid, algorithm, state, signsFrom, signsUntil, publishedUntil }) => [
    kid,
    algorithm,
    state,
    signsFrom,
    signsUntil ?? '-',
    publishedUntil ?? '-',
  ]);
  terminal.out(`${table(HEADINGS, rows)}\n`);
}

/** `tenure tokens rotate`. @throws InvalidSettingsError */
export async function rotateTokenKey(terminal: Terminal, options: JsonOption): Promise<void> {
  const { adminKeys, algorithm } = loadTokenKeySettings(terminal.environment);
  const secrets = new SealedSecrets(adminKeys);
  const now = Date.now();
  const keys = await withServicePool(terminal, 'write', async ({ pool }) => {
    const kid = await makeTokenKey({ pool, secrets, algorithm, now }, () => true);
    return timed(await readTokenKeys(pool)).filter((key) => key.kid === kid);
  });
  for (const view of keys.map((key) => viewOf(key, now))) {
    if (options.json) terminal.out(json(view));
    else terminal.out(`${view.kid} (${view.algorithm}) signs from ${view.signsFrom} on\n`);
  }
}

function viewOf(key: TimedTokenKey, now: number) {
  const { kid, algorithm, createdAt, signsFrom, signsUntil, publishedUntil } = key;
  return {
    kid,
    algorithm,
    state: stateAt(key, now),
    createdAt: new Date(createdAt).toISOString(),
    signsFrom: new Date(signsFrom).toISOString(),
    signsUntil: iso(signsUntil),
    publishedUntil: iso(publishedUntil),
  };
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
