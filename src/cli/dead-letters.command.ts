import { Command } from 'commander';
import { countOf, type JsonOption } from './arguments.js';
import type { ListOptions } from './dead-letters.actions.js';
import { allTalkTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

/** `tenure dead-letters …`: work that was given up, in the database of the service, whether it runs or not. */
export function deadLettersCommand(terminal: Terminal): Command {
  const letters = new Command('dead-letters').description(
    'Messages, mails and other work that was given up after its last try.',
  );
  const actions = () => import('./dead-letters.actions.js');

  letters
    .command('list')
    .description('Lists what was given up, the oldest first.')
    .option('--limit <count>', 'how many', countOf, 100)
    .option('--json', 'print {deadLetters} as JSON, as the API does')
    .action(async (options: ListOptions) => (await actions()).listLetters(terminal, options));

  letters
    .command('replay')
    .description('Has it done once more, under its id, from its first try on, by a service that runs.')
    .argument('<id...>', 'the ids that list shows')
    .option('--json', 'print {replayed, unknown} as JSON, each a list of ids')
    .addHelpText('after', '\nExits with 1 when one of them is no dead letter; the others are replayed.')
    .action(async (ids: readonly string[], options: JsonOption) =>
      (await actions()).replayLetters(terminal, ids, options),
    );
  return allTalkTo(letters, 'database');
}
