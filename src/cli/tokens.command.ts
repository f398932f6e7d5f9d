import { Command } from 'commander';
import type { JsonOption } from './arguments.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const KEYS_HELP = `
States: waits (published, signs soon), signs, kept (its last tokens have not ended), gone (published no more).`;

const ROTATE_HELP = `
The new key is published at once and signs two minutes later; the one before stays published until its last token has ended.
Needs TENURE_ADMIN_KEY, which seals it, and TOKEN_ALGORITHM where the service has one.`;

/** `tenure tokens …`: on the database of the service, whether it runs or not. */
export function tokensCommand(terminal: Terminal): Command {
  const tokens = new Command('tokens').description('The keys that sign entitlement tokens.');
  const actions = () => import('./tokens.actions.js');

  tokens
    .command('keys')
    .description('Lists the keys in the order in which they sign.')
    .option(
      '--json',
      'print an array of {kid, algorithm, state, createdAt, signsFrom, signsUntil, publishedUntil} as JSON',
    )
    .addHelpText('after', KEYS_HELP)
    .action(async (options: JsonOption) => (await actions()).listTokenKeys(terminal, options));

  tokens
    .command('rotate')
    .description('Makes a new key, which takes the place of the one that signs.')
    .option('--json', 'print the new key as JSON, as keys does')
    .addHelpText('after', ROTATE_HELP)
    .action(async (options: JsonOption) => (await actions()).rotateTokenKey(terminal, options));
  return allTalkTo(tokens, 'database');
}
