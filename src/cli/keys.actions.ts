import { ApiKeyRepository, type KeyListing } from '../auth/keys/api-key.repository.js';
import type { Scope } from '../http/scopes.js';
import type { JsonOption } from './arguments.js';
import type { DataUse } from './database-url.js';
import { EXIT } from './exit-codes.js';
import { withServiceData } from './service-data.js';
import { json, type Terminal, table } from './terminal.js';

export interface KeyOptions extends JsonOption {
  readonly name: string;
  readonly scope: readonly Scope[];
}

/** `tenure keys create`. */
export async function createKey(terminal: Terminal, options: KeyOptions): Promise<void> {
  const { key, listing } = await withKeys(terminal, 'write', (keys) =>
    keys.create(options.name, new Set(options.scope)),
  );
  const { id, name, scopes, createdAt } = listing;
  if (options.json) {
    terminal.out(json({ id, name, scopes, createdAt, key }));
    return;
  }
  terminal.err(`tenure: made ${id} "${name}" (${scopes.join(', ')}). The key is shown this once:\n`);
  terminal.out(`${key}\n`);
}

/** `tenure keys list`. */
export async function listKeys(terminal: Terminal, options: JsonOption): Promise<void> {
  const listed = await withKeys(terminal, 'read', (keys) => keys.list());
  terminal.out(options.json ? json(listed) : `${tableOf(listed)}\n`);
}

/** `tenure keys revoke`. */
export async function revokeKey(terminal: Terminal, id: string, options: JsonOption): Promise<void> {
  const outcome = await withKeys(terminal, 'write', (keys) => keys.revoke(id));
  if (options.json) terminal.out(json({ id, outcome }));
  else if (outcome === 'unknown') terminal.err(`tenure: there is no key ${id}\n`);
  else terminal.out(`${id} ${outcome === 'revoked' ? 'is revoked' : 'was revoked before'}\n`);
  if (outcome === 'unknown') terminal.exitWith(EXIT.no);
}

function withKeys<Result>(
  terminal: Terminal,
  use: DataUse,
  work: (keys: ApiKeyRepository) => Promise<Result>,
): Promise<Result> {
  return withServiceData(terminal, use, ({ database }) => work(new ApiKeyRepository(database.source)));
}

function tableOf(listed: readonly KeyListing[]): string {
  const time = (at: Date | null): string => at?.toISOString() ?? '-';
  return table(
    ['ID', 'NAME', 'SCOPES', 'CREATED', 'LAST USED', 'REVOKED'],
    listed.map(({ id, name, scopes, createdAt, lastUsedAt, revokedAt }) => [
      id,
      name,
      scopes.join(','),
      time(createdAt),
      time(lastUsedAt),
      time(revokedAt),
    ]),
  );
}
