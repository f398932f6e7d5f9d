import { Command, InvalidArgumentError } from 'commander';
import type { CommandResult } from '../commands/aggregate.js';
import { AggregateRepository } from '../commands/aggregate-repository.js';
import { customerAggregate, LinkCustomer } from '../commands/customer.aggregate.js';
import { isUserId } from '../events/user-id.js';
import { type Listing, OpsReader } from '../projections/read-models/ops.reader.js';
import { id as stripeId } from '../stripe/translate/read-json.js';
import { withServiceData } from './service-data.js';
import { talksTo } from './talks-to.js';
import { json, type Terminal, table } from './terminal.js';
import { knownLog, operator, originOf, withLog } from './with-read-side.js';

const PAGE = 500;
const DEFAULT_LIMIT = 1_000;

interface ListOptions {
  readonly limit: number;
  readonly json?: true;
}

/** `tenure customers …`: on the database and the log of the service, whether it runs or not. */
export function customersCommand(terminal: Terminal): Command {
  const customers = new Command('customers').description("Whose Stripe's customers are.");
  const list = (name: string, description: string): Command =>
    talksTo(customers.command(name), 'database')
      .description(description)
      .option('-l, --limit <count>', 'list so many at most', countOf, DEFAULT_LIMIT);

  list('unlinked', 'Lists customers and subscriptions that belong to nobody yet.')
    .option('--json', 'print an array of {kind, id, customer} as JSON')
    .action(async (options: ListOptions) => {
      const items = await listed(terminal, options, (ops, cursor) => ops.unlinked(cursor, PAGE));
      const rows = items.map(({ kind, id, customer }) => [kind, id, customer ?? '-']);
      terminal.out(options.json ? json(items) : `${table(['KIND', 'ID', 'CUSTOMER'], rows)}\n`);
    });

  list('conflicts', 'Lists customers and subscriptions whose facts name another user than their owner.')
    .option('--json', 'print an array of {kind, id, owner, claims: [{userId, eventId}]} as JSON')
    .action(async (options: ListOptions) => {
      const items = await listed(terminal, options, (ops, cursor) => ops.conflicts(cursor, PAGE));
      const rows = items.flatMap(({ kind, id, owner, claims }) =>
        claims.map(({ userId, eventId }) => [kind, id, owner, userId, eventId]),
      );
      const headings = ['KIND', 'ID', 'OWNER', 'CLAIMED FOR', 'BY EVENT'];
      terminal.out(options.json ? json(items) : `${table(headings, rows)}\n`);
    });

  talksTo(customers.command('link'), 'databaseAndLog')
    .description(
      'Says whose a customer is; it outranks what Stripe says. Appended to the log, under your name.',
    )
    .argument('<customer>', "Stripe's id, cus_…", customerOf)
    .argument('<user>', 'your own id of the user', userOf)
    .option('-r, --reason <text>', 'why, kept with the link')
    .option('--json', 'print {outcome, position} as JSON; outcome: applied, duplicate')
    .action(async (customer: string, userId: string, options: { reason?: string; json?: true }) => {
      const recorded = await link(terminal, customer, userId, options.reason ?? null);
      const { outcome, position } = recorded;
      const was = outcome === 'applied' ? `is linked to ${userId}` : `was linked to ${userId} before`;
      terminal.out(options.json ? json({ outcome, position }) : `${customer} ${was}\n`);
    });
  return customers;
}

/** Items page by page, up to the limit; says when there are more. */
async function listed<Item>(
  terminal: Terminal,
  { limit }: ListOptions,
  page: (ops: OpsReader, cursor: string | null) => Promise<Listing<Item>>,
): Promise<readonly Item[]> {
  const items = await withServiceData(terminal, async ({ database }) => {
    const ops = new OpsReader(database.source);
    const found: Item[] = [];
    for (let cursor: string | null = null; found.length <= limit; ) {
      const { items: more, next }: Listing<Item> = await page(ops, cursor);
      found.push(...more);
      if (next === null) break;
      cursor = next;
    }
    return found;
  });
  if (items.length > limit) terminal.err(`tenure: there are more; --limit says how many to list\n`);
  return items.slice(0, limit);
}

/** @throws OtherLogError when the settings name another log than the database was made from */
function link(
  terminal: Terminal,
  customer: string,
  userId: string,
  reason: string | null,
): Promise<CommandResult> {
  return withLog(terminal, async ({ settings, store, now, database: { pool } }) => {
    const origin = { ...originOf(operator(terminal)), causation: null };
    const { streamPrefix } = settings;
    const options = { streamPrefix, now, mayWrite: knownLog(store, pool) };
    const repository = new AggregateRepository(store, customerAggregate, options);
    return repository.execute(new LinkCustomer(customer, userId, reason, origin));
  });
}

function customerOf(text: string): string {
  if (stripeId(text) === null) throw new InvalidArgumentError('It is no id of Stripe.');
  return text;
}

function userOf(text: string): string {
  if (!isUserId(text)) {
    throw new InvalidArgumentError('A user id has 1 to 255 characters and no control characters.');
  }
  return text;
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 1 to 9999999.');
  return Number(text);
}
