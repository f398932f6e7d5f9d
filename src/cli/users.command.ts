import { Command } from 'commander';
import { type JsonOption, userOf } from './arguments.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

/** `tenure users …`: on the database of the service, whether it runs or not. */
export function usersCommand(terminal: Terminal): Command {
  const users = new Command('users').description('What users may do.');
  talksTo(users.command('show'), 'database')
    .description('Shows what a user may do now, and the subscriptions behind it.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--json', 'print {snapshot, version, subscriptions} as JSON')
    .addHelpText(
      'after',
      '\nA user never heard of has the default plan and version 0, as in the API. Changes nothing.',
    )
    .action(async (userId: string, options: JsonOption) =>
      (await import('./users.actions.js')).showUser(terminal, userId, options),
    );
  return users;
}
