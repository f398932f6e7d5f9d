import { type AuditKeyState, signsUntil, stateOf, verifierTextsOf } from '../audit/tree/audit-key.js';
import { type KeptAuditKey, makeAuditKey, readAuditKeys } from '../audit/tree/audit-key.repository.js';
import { readTrees } from '../audit/tree/tree.repository.js';
import { SealedSecrets } from '../auth/sealed-secrets.js';
import { loadAdminKeys } from '../config/part-settings.js';
import type { JsonOption } from './arguments.js';
import { withServicePool } from './service-pool.js';
import { json, type Terminal, table } from './terminal.js';

export interface AuditKeyOptions extends JsonOption {
  readonly rotate?: boolean;
}

const HEADINGS = ['STATE', 'SIGNS UNTIL', 'VERIFIER KEY'];

/** `tenure audit key`. @throws InvalidSettingsError */
export async function auditKeys(terminal: Terminal, options: AuditKeyOptions): Promise<void> {
  const now = Date.now();
  const adminKeys = options.rotate === true ? loadAdminKeys(terminal.environment) : null;
  const views = await withServicePool(terminal, adminKeys === null ? 'read' : 'write', async ({ pool }) => {
    const keys =
      adminKeys === null
        ? await readAuditKeys(pool)
        : await makeAuditKey({ pool, secrets: new SealedSecrets(adminKeys), now }, () => true);
    const origins = (await readTrees(pool)).map(({ origin }) => origin);
    return keys.map((key) => viewOf(key, origins, now));
  });
  if (options.json) {
    terminal.out(json(views));
    return;
  }
  const rows = views.flatMap(({ state, signsUntil: until, verifierKeys }) =>
    verifierKeys.map((text) => [state, until ?? '-', text]),
  );
  if (rows.length === 0) terminal.out('There is no key with a name yet: the first checkpoint brings it.\n');
  else terminal.out(`${table(HEADINGS, rows)}\n`);
}

interface AuditKeyView {
  readonly id: string;
  readonly state: AuditKeyState;
  readonly createdAt: string;
  readonly signsUntil: string | null;
  readonly verifierKeys: readonly string[];
}

function viewOf(key: KeptAuditKey, origins: readonly string[], now: number): AuditKeyView {
  const until = signsUntil(key);
  return {
    id: key.id,
    state: stateOf(key, now),
    createdAt: new Date(key.createdAt).toISOString(),
    signsUntil: until === null ? null : new Date(until).toISOString(),
    verifierKeys: origins.flatMap((origin) => verifierTextsOf(key, origin)),
  };
}
