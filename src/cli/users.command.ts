import { Command } from 'commander';
import { actorOf, type JsonOption, timeOf, userOf } from './arguments.js';
import { talksTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';
import type { EraseOptions } from './users-erase.actions.js';
import type { ExplainOptions } from './users-explain.actions.js';

const ERASE_HELP = `
With USER_ID_PSEUDONYMS alone; else it changes nothing and ends with 1. The log stays whole, and so do its proofs: it gets one
event with a keyed hash of the id. Says what is left where, and what is to be deleted at Stripe. What Stripe sends of the user
from then on gives nobody anything. Needs TENURE_ADMIN_KEY.`;

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
  talksTo(users.command('erase'), 'databaseAndLog')
    .description('Erases a user: nothing in log and database tells any more whose anything is.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--actor <name>', 'who', actorOf, operator(terminal))
    .option('--json', 'print {outcome, at, pseudonym, left} as JSON')
    .addHelpText('after', ERASE_HELP)
    .action(async (userId: string, options: EraseOptions) =>
      (await import('./users-erase.actions.js')).eraseUser(terminal, userId, options),
    );
  talksTo(users.command('readmit'), 'databaseAndLog')
    .description('Takes a user in again who was erased, as somebody new.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--actor <name>', 'who', actorOf, operator(terminal))
    .option('--json', 'print {outcome} as JSON')
    .addHelpText(
      'after',
      '\nA checkout that Tenure starts for the user does the same. Needs TENURE_ADMIN_KEY.',
    )
    .action(async (userId: string, options: EraseOptions) =>
      (await import('./users-erase.actions.js')).readmitUser(terminal, userId, options),
    );
  talksTo(users.command('erasures'), 'databaseAndLog')
    .description(
      'Lists who was erased, as keyed hashes of ids, a JSON object a line: to be kept beside backups.',
    )
    .addHelpText('after', '\nEach line is {user, erasedAt, readmittedAt}. Changes nothing.')
    .action(async () => (await import('./users-erase.actions.js')).listErasures(terminal));
  talksTo(users.command('erase-again'), 'databaseAndLog')
    .description(
      'After the restore of a backup from before: erases whom such a list has, and the log no longer.',
    )
    .argument('<file>', 'what `tenure users erasures` printed')
    .option('--actor <name>', 'who', actorOf, operator(terminal))
    .option('--json', 'print {erased} as JSON')
    .addHelpText('after', '\nBefore a service starts on what was restored. Needs TENURE_ADMIN_KEY.')
    .action(async (file: string, options: EraseOptions) =>
      (await import('./users-erase.actions.js')).eraseAgain(terminal, file, options),
    );
  return users;
}
