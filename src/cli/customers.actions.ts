import { AggregateRepository } from '../commands/aggregate-repository.js';
import { customerAggregate, LinkCustomer } from '../commands/customer.aggregate.js';
import { type Listing, OpsReader } from '../projections/read-models/ops.reader.js';
import type { JsonOption } from './arguments.js';
import { withServiceData } from './service-data.js';
import { json, operator, type Terminal, table } from './terminal.js';
import { withLog } from './with-log.js';
import { knownLog, originOf } from './with-read-side.js';

export interface ListOptions extends JsonOption {
  readonly limit: number;
}

export interface LinkOptions extends JsonOption {
  readonly reason?: string;
}

const PAGE = 500;

/** `tenure customers unlinked`. */
export async function listUnlinked(terminal: Terminal, options: ListOptions): Promise<void> {
  const items = await listed(terminal, options, (ops, cursor) => ops.unlinked(cursor, PAGE));
  const rows = items.map(({ kind, id, customer }) => [kind, id, customer ?? '-']);
  terminal.out(options.json ? json(items) : `${table(['KIND', 'ID', 'CUSTOMER'], rows)}\n`);
}

/** `tenure customers conflicts`. */
export async function listConflicts(terminal: Terminal, options: ListOptions): Promise<void> {
  const items = await listed(terminal, options, (ops, cursor) => ops.conflicts(cursor, PAGE));
  const rows = items.flatMap(({ kind, id, owner, claims }) =>
    claims.map(({ userId, eventId }) => [kind, id, owner, userId, eventId]),
  );
  const headings = ['KIND', 'ID', 'OWNER', 'CLAIMED FOR', 'BY EVENT'];
  terminal.out(options.json ? json(items) : `${table(headings, rows)}\n`);
}

/** `tenure customers link`. @throws OtherLogError when the settings name another log than the database was made from */
export function linkCustomer(
  terminal: Terminal,
  customer: string,
  userId: string,
  options: LinkOptions,
): Promise<void> {
  return withLog(terminal, 'write', async ({ settings, store, now, pool }) => {
    const origin = { ...originOf(operator(terminal)), causation: null };
    const { streamPrefix } = settings;
    const rules = { streamPrefix, now, mayWrite: knownLog(store, pool) };
    const repository = new AggregateRepository(store, customerAggregate, rules);
    const { outcome, position } = await repository.execute(
      new LinkCustomer(customer, userId, options.reason ?? null, origin),
    );
    const was = outcome === 'applied' ? `is linked to ${userId}` : `was linked to ${userId} before`;
    terminal.out(options.json ? json({ outcome, position }) : `${customer} ${was}\n`);
  });
}

/** Items page by page, up to the limit; says when there are more. */
async function listed<Item>(
  terminal: Terminal,
  { limit }: ListOptions,
  page: (ops: OpsReader, cursor: string | null) => Promise<Listing<Item>>,
): Promise<readonly Item[]> {
  const items = await withServiceData(terminal, 'read', async ({ database }) => {
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
