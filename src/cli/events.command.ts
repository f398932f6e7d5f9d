import { Command } from 'commander';
import { InvalidSettingsError } from '../config/settings.js';
import { withDatabaseUrl } from './database-url.js';
import { copyEvents } from './events-copy.js';
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
    .action(() =>
      withDatabaseUrl(terminal, async ({ eventStoreUrl, streamPrefix: prefix }, databaseUrl) => {
        if (eventStoreUrl === null) throw new InvalidSettingsError(['EVENTSTORE_URL is missing']);
        const say = (line: string): void => terminal.err(`tenure: ${line}\n`);
        await copyEvents({ databaseUrl, eventStoreUrl, prefix, say });
      }),
    );
  return allTalkTo(events, 'bothLogs');
}
