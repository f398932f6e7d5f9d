import { Command } from 'commander';
import { InvalidSettingsError } from '../config/settings.js';
import { copyEvents } from './events-copy.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

/** `tenure events …`. */
export function eventsCommand(terminal: Terminal): Command {
  const events = new Command('events').description('The log.');
  events
    .command('copy')
    .description(
      'Copies the log of DATABASE_URL to EVENTSTORE_URL and checks it; may be broken off and run again.',
    )
    .addHelpText(
      'after',
      '\nBoth must be named, and nobody may append meanwhile. Exits with 1 when the logs differ.',
    )
    .action(async () => {
      const { DATABASE_URL, EVENTSTORE_URL, STREAM_PREFIX } = terminal.environment;
      if (!DATABASE_URL || !EVENTSTORE_URL) {
        const missing = Object.entries({ DATABASE_URL, EVENTSTORE_URL }).filter(([, value]) => !value);
        throw new InvalidSettingsError(missing.map(([name]) => `${name} is missing`));
      }
      await copyEvents({
        databaseUrl: DATABASE_URL,
        eventStoreUrl: EVENTSTORE_URL,
        prefix: STREAM_PREFIX || 'tenure.',
        say: (line) => terminal.err(`tenure: ${line}\n`),
      });
    });
  return allTalkTo(events, 'bothLogs');
}
