import { Command } from 'commander';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

/** `tenure events …`. */
export function eventsCommand(terminal: Terminal): Command {
  const events = new Command('events').description('The log.');
  events
    .command('copy')
    .description(
      'Copies the log in PostgreSQL to EVENTSTORE_URL and checks it; may be broken off and run again.',
    )
    .addHelpText('after', '\nNobody may append to either meanwhile. Exits with 1 when the logs differ.')
    .action(async () => {
      const { copyServiceLog } = await import('./events-copy.js');
      await copyServiceLog(terminal);
    });
  return allTalkTo(events, 'bothLogs');
}
