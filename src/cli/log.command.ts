import { Command } from 'commander';
import { asking, countOf, userOf } from './arguments.js';
import type { AdoptOptions } from './log.actions.js';
import type { ShowLogOptions } from './log-show.actions.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const HELP = `
For a log that was lost, restored from an older backup or exchanged, and whose events will not come back: services say
log_replaced, and write nothing until then. Without --yes it folds the log, tells what is gone and who would see a change,
changes nothing, and exits with 1. With it the log as it is becomes the one that holds: what is read is made from it,
versions rise where snapshots change, and nothing leads back. Services need no restart.

The ids of Stripe's events that the log lacks are for delivering them again (stripe events resend).`;

const SHOW_HELP = `
Events on the streams of the user's subscriptions, of customers and checkouts that belong to them, and of what the clock
ended for the user. Whose a subscription is, is as the read models have it now. Changes nothing.`;

const DEFAULT_LIMIT = 1_000;

/** `tenure log …`. */
export function logCommand(terminal: Terminal): Command {
  const log = new Command('log').description('The log that everything is made from.');
  asking(log.command('adopt').description('Takes the log as it is for the right one.'), terminal)
    .option('--yes', 'do it')
    .option('--lost <file>', "write the ids of Stripe's events that the log lacks to a file, one a line")
    .option('--json', 'one JSON document')
    .addHelpText('after', HELP)
    .action(async (options: AdoptOptions) => (await import('./log.actions.js')).adoptLog(terminal, options));
  log
    .command('show')
    .description("Shows a user's events in the order of the log.")
    .requiredOption('--user <user>', 'your own id of the user', userOf)
    .option('-l, --limit <count>', 'only the last so many', countOf, DEFAULT_LIMIT)
    .option('--json', 'print a JSON object a line, with the data of the event')
    .addHelpText('after', SHOW_HELP)
    .action(async (options: ShowLogOptions) =>
      (await import('./log-show.actions.js')).showLog(terminal, options),
    );
  return allTalkTo(log, 'databaseAndLog');
}
