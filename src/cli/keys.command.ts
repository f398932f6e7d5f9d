import { Command, InvalidArgumentError, Option } from 'commander';
import { SCOPES } from '../http/scopes.js';
import type { JsonOption } from './arguments.js';
import type { KeyOptions } from './keys.actions.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

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
  const actions = () => import('./keys.actions.js');

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
    .action(async (options: KeyOptions) => (await actions()).createKey(terminal, options));

  keys
    .command('list')
    .description('Lists all keys that ever were, oldest first. Uses are noted twice a minute.')
    .option('--json', 'print an array of {id, name, scopes, createdAt, lastUsedAt, revokedAt} as JSON')
    .action(async (options: JsonOption) => (await actions()).listKeys(terminal, options));

  keys
    .command('revoke')
    .description('Takes a key back for ever. Every instance refuses it within a second.')
    .argument('<id>', 'the id that create and list show, key_…')
    .option('--json', 'print {id, outcome} as JSON; outcome: revoked, revoked_before, unknown')
    .addHelpText(
      'after',
      '\nExits with 1 when there is no such key. A key that was revoked before stays so: 0.',
    )
    .action(async (id: string, options: JsonOption) => (await actions()).revokeKey(terminal, id, options));
  return allTalkTo(keys, 'database');
}

function nameOf(text: string): string {
  if (!/^\P{Cc}{1,100}$/u.test(text)) {
    throw new InvalidArgumentError('It has 1 to 100 characters and no control characters.');
  }
  return text;
}
