import { Command, InvalidArgumentError, Option } from 'commander';
import { ApiKeyRepository, type KeyListing } from '../auth/keys/api-key.repository.js';
import { SCOPES, type Scope } from '../http/access.js';
import { EXIT } from './exit-codes.js';
import { withServiceData } from './service-data.js';
import { allTalkTo } from './talks-to.js';
import { json, type Terminal, table } from './terminal.js';

const CREATE_HELP = `
Scopes:
  entitlements:read   snapshots and features of users
  entitlements:write  grants and usage
  checkout            purchases, upgrades and the customer portal
  audit               history and its proof
  ops                 links, lists and projections

The key is printed once, alone, on standard output; only its SHA-256 is kept. It works at once on every instance.

Example:
  KEY=$(tenure keys create --name billing-page --scope entitlements:read checkout)`;

/** `tenure keys …`: on the database of the service, whether it runs or not. */
export function keysCommand(terminal: Terminal): Command {
  const keys = new Command('keys').description('Keys of the API, kept in the database of the service.');
  const withRing = <Result>(work: (apiKeys: ApiKeyRepository) => Promise<Result>): Promise<Result> =>
    withServiceData(terminal, ({ database }) => work(new ApiKeyRepository(database.source)));

  keys
    .command('create')
    .description('Makes a key and shows it once.')
    .requiredOption('-n, --name <name>', 'what the key is for, 1 to 100 characters', nameOf)
    .addOption(
      new Option('-s, --scope <scope...>', 'what it may do; several at once or one by one')
        .choices(SCOPES)
        .makeOptionMandatory(),
    )
    .option('--json', 'print {id, name, scopes, createdAt, key} as JSON')
    .addHelpText('after', CREATE_HELP)
    .action(async (options: { name: string; scope: readonly Scope[]; json?: true }) => {
      const { key, listing } = await withRing((apiKeys) =>
        apiKeys.create(options.name, new Set(options.scope)),
      );
      const { id, name, scopes, createdAt } = listing;
      if (options.json) {
        terminal.out(json({ id, name, scopes, createdAt, key }));
        return;
      }
      terminal.err(`tenure: made ${id} "${name}" (${scopes.join(', ')}). The key is shown this once:\n`);
      terminal.out(`${key}\n`);
    });

  keys
    .command('list')
    .description('Lists all keys that ever were, oldest first. Uses are noted twice a minute.')
    .option('--json', 'print an array of {id, name, scopes, createdAt, lastUsedAt, revokedAt} as JSON')
    .action(async (options: { json?: true }) => {
      const listed = await withRing((apiKeys) => apiKeys.list());
      terminal.out(options.json ? json(listed) : `${tableOf(listed)}\n`);
    });

  keys
    .command('revoke')
    .description('Takes a key back for ever. Every instance refuses it within a second.')
    .argument('<id>', 'the id that create and list show, key_…')
    .option('--json', 'print {id, outcome} as JSON; outcome: revoked, revoked_before, unknown')
    .addHelpText(
      'after',
      '\nExits with 1 when there is no such key. A key that was revoked before stays so: 0.',
    )
    .action(async (id: string, options: { json?: true }) => {
      const outcome = await withRing((apiKeys) => apiKeys.revoke(id));
      if (options.json) terminal.out(json({ id, outcome }));
      else if (outcome === 'unknown') terminal.err(`tenure: there is no key ${id}\n`);
      else terminal.out(`${id} ${outcome === 'revoked' ? 'is revoked' : 'was revoked before'}\n`);
      if (outcome === 'unknown') terminal.exitWith(EXIT.no);
    });
  return allTalkTo(keys, 'database');
}

function nameOf(text: string): string {
  if (!/^\P{Cc}{1,100}$/u.test(text)) {
    throw new InvalidArgumentError('It has 1 to 100 characters and no control characters.');
  }
  return text;
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
