import { Command, InvalidArgumentError } from 'commander';
import { id as stripeId } from '../stripe/translate/read-json.js';
import { countOf, userOf } from './arguments.js';
import type { LinkOptions, ListOptions } from './customers.actions.js';
import { talksTo } from './talks-to.js';
import type { Terminal } from './terminal.js';

const DEFAULT_LIMIT = 1_000;

/** `tenure customers …`: on the database and the log of the service, whether it runs or not. */
export function customersCommand(terminal: Terminal): Command {
  const customers = new Command('customers').description("Whose Stripe's customers are.");
  const actions = () => import('./customers.actions.js');
  const list = (name: string, description: string): Command =>
    talksTo(customers.command(name), 'database')
      .description(description)
      .option('-l, --limit <count>', 'list so many at most', countOf, DEFAULT_LIMIT);

  list('unlinked', 'Lists customers and subscriptions that belong to nobody yet.')
    .option('--json', 'print an array of {kind, id, customer} as JSON')
    .action(async (options: ListOptions) => (await actions()).listUnlinked(terminal, options));

  list('conflicts', 'Lists customers and subscriptions whose facts name another user than their owner.')
    .option('--json', 'print an array of {kind, id, owner, claims: [{userId, eventId}]} as JSON')
    .action(async (options: ListOptions) => (await actions()).listConflicts(terminal, options));

  talksTo(customers.command('link'), 'databaseAndLog')
    .description(
      'Says whose a customer is; it outranks what Stripe says. Appended to the log, under your name.',
    )
    .argument('<customer>', "Stripe's id, cus_…", customerOf)
    .argument('<user>', 'your own id of the user', userOf)
    .option('-r, --reason <text>', 'why, kept with the link')
    .option('--json', 'print {outcome, position} as JSON; outcome: applied, duplicate')
    .action(async (customer: string, userId: string, options: LinkOptions) =>
      (await actions()).linkCustomer(terminal, customer, userId, options),
    );
  return customers;
}

function customerOf(text: string): string {
  if (stripeId(text) === null) throw new InvalidArgumentError('It is no id of Stripe.');
  return text;
}
