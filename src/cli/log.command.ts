import { Command } from 'commander';
import { asking } from './arguments.js';
import type { AdoptOptions } from './log.actions.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const HELP = `
For a log that was lost, restored from an older backup or exchanged, and whose events will not come back: services say
log_replaced, and write nothing until then. Without --yes it folds the log, tells what is gone and who would see a change,
changes nothing, and exits with 1. With it the log as it is becomes the one that holds: what is read is made from it,
versions rise where snapshots change, and nothing leads back. Services need no restart.

The ids of Stripe's events that the log lacks are for delivering them again (stripe events resend).`;

/** `tenure log …`. */
export function logCommand(terminal: Terminal): Command {
  const log = new Command('log').description('The log that everything is made from.');
  asking(log.command('adopt').description('Takes the log as it is for the right one.'), terminal)
    .option('--yes', 'do it')
    .option('--lost <file>', "write the ids of Stripe's events that the log lacks to a file, one a line")
    .option('--json', 'one JSON document')
    .addHelpText('after', HELP)
    .action(async (options: AdoptOptions) => (await import('./log.actions.js')).adoptLog(terminal, options));
  return allTalkTo(log, 'databaseAndLog');
}
