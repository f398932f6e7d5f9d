import { Command } from 'commander';
import { type JsonOption, timeOf, userOf } from './arguments.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';
import type { ExplainOptions } from './users-explain.actions.js';

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
  talksTo(users.command('explain'), 'database')
    .description('Says why a user may do what the user may do: by which rules, facts and events.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--at <time>', 'as of a moment, RFC 3339, by all that is known now; left out: now', timeOf)
    .option('--json', 'print the snapshot with its reasons as JSON, as the API does')
    .addHelpText('after', '\nReads the streams of the user in the log. Changes nothing.')
    .action(async (userId: string, options: ExplainOptions) =>
      (await import('./users-explain.actions.js')).explainUser(terminal, userId, options),
    );
  return users;
}
