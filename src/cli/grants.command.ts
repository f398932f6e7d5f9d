import { Command, InvalidArgumentError } from 'commander';
import { asking, type JsonOption, type Reason, timeOf, userOf } from './arguments.js';
import type { IssueOptions } from './grants.actions.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

/** `tenure grants …`: on the database and the log of the service, whether it runs or not. */
export function grantsCommand(terminal: Terminal): Command {
  const grants = new Command('grants').description('Plans, add-ons, features and limits given by hand.');
  const actions = () => import('./grants.actions.js');

  asking(talksTo(grants.command('issue'), 'databaseAndLog'), terminal)
    .description('Gives a user a plan, add-ons, features or limits.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--plan <name>', 'a plan of the catalogue')
    .option('--addon <name=units>', 'an add-on in units; may be given again', pairOf(unitsOf), {})
    .option(
      '--feature <key>',
      'a feature; may be given again',
      (key: string, all: string[]) => [...all, key],
      [],
    )
    .option(
      '--limit <key=value>',
      'a limit: a whole number, or unlimited; may be given again',
      pairOf(limitOf),
      {},
    )
    .option('--from <time>', 'from when on, RFC 3339; left out: now', timeOf)
    .option('--until <time>', 'until when, not included; left out: for good', timeOf)
    .option('--json', 'print the grant as JSON, as the API does')
    .action(async (userId: string, options: IssueOptions) =>
      (await actions()).issueGrant(terminal, userId, options),
    );

  talksTo(grants.command('list'), 'database')
    .description('Lists the grants of a user, the last one first.')
    .argument('<user>', 'your own id of the user', userOf)
    .option('--json', 'print {grants} as JSON, as the API does')
    .action(async (userId: string, options: JsonOption) =>
      (await actions()).listGrants(terminal, userId, options),
    );

  asking(talksTo(grants.command('revoke'), 'databaseAndLog'), terminal)
    .description('Takes a grant of a user back.')
    .argument('<user>', 'your own id of the user', userOf)
    .argument('<grant>', 'the id of the grant')
    .option('--json', 'print {outcome, position} as JSON; outcome: applied, duplicate')
    .action(async (userId: string, grant: string, options: Reason & JsonOption) =>
      (await actions()).revokeGrant(terminal, userId, grant, options),
    );
  return grants;
}

/** A limit as it is given by hand. @throws InvalidArgumentError */
export function limitOf(text: string): number | 'unlimited' {
  if (text === 'unlimited') return text;
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A limit is a whole number, or unlimited.');
  return Number(text);
}

function unitsOf(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('Units are a whole number from 1 on.');
  return Number(text);
}

/** Gathers `name=value`, one or several. */
function pairOf<Value>(parse: (text: string) => Value) {
  return (text: string, all: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> => {
    const end = text.lastIndexOf('=');
    if (end < 1) throw new InvalidArgumentError('It is a name, = and a value.');
    return { ...all, [text.slice(0, end)]: parse(text.slice(end + 1)) };
  };
}
