import { Command, InvalidArgumentError } from 'commander';
import { asking, type JsonOption, type Reason, timeOf, userOf } from './arguments.js';
import type { SetOptions } from './grants.actions.js';
import { limitOf } from './grants.command.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

/** `tenure overrides …`: on the database and the log of the service, whether it runs or not. */
export function overridesCommand(terminal: Terminal): Command {
  const overrides = new Command('overrides').description(
    'Single features and limits set by hand, whatever was bought.',
  );
  const actions = () => import('./grants.actions.js');

  asking(talksTo(overrides.command('set'), 'databaseAndLog'), terminal)
    .description('Sets a feature or a limit of a user, in place of what was set of it before.')
    .argument('<user>', 'your own id of the user', userOf)
    .argument('<key>', 'a feature or a limit of the catalogue')
    .argument('[value]', 'of a feature on or off; of a limit a whole number, or unlimited', settingOf)
    .option('--add <count>', 'in place of a value: so much more of a limit, or less', addOf)
    .option('--until <time>', 'until when, not included; left out: until it is removed', timeOf)
    .option('--json', 'print {outcome, position} as JSON; outcome: applied, duplicate')
    .action(async (userId: string, key: string, value: SetOptions['value'], options: SetOptions) =>
      (await actions()).setOverride(terminal, userId, key, { ...options, value }),
    );

  talksTo(overrides.command('list'), 'database')
    .description('Lists the overrides of a user: what holds, and what would without them.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--json', 'print {overrides} as JSON, as the API does')
    .action(async (userId: string, options: JsonOption) =>
      (await actions()).listOverrides(terminal, userId, options),
    );

  asking(talksTo(overrides.command('remove'), 'databaseAndLog'), terminal)
    .description('Removes what was set of a key, as a feature and as a limit.')
    .argument('<user>', 'your own id of the user', userOf)
    .argument('<key>', 'a feature or a limit')
    .option('--json', 'print {outcome, position} as JSON; outcome: applied, duplicate')
    .action(async (userId: string, key: string, options: Reason & JsonOption) =>
      (await actions()).removeOverride(terminal, userId, key, options),
    );
  return overrides;
}

function settingOf(text: string): boolean | number | 'unlimited' {
  if (text === 'on' || text === 'true') return true;
  if (text === 'off' || text === 'false') return false;
  return limitOf(text);
}

function addOf(text: string): number {
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw new InvalidArgumentError('It is a whole number, such as 20 or -20.');
  return Number(text);
}
