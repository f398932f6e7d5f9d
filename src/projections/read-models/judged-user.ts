import type { PoolClient } from 'pg';
import { z } from 'zod';
import { oneByOne, type Statements } from '../../database/in-transaction.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { UserFacts } from '../../policy/facts.js';
import type { ExplainableFacts } from '../../policy/reasons/explain.js';
import { ownershipOf } from '../../policy/reasons/owner-reasons.js';
import { Catalogs } from '../entitlements/catalogs.js';
import { FactsLoader } from '../entitlements/facts-loader.js';
import { RUNNING_RULES } from '../entitlements/folding-rules.js';
import { ownedThings } from '../entitlements/owned-things.js';
import { WorkingSet } from '../entitlements/working-set.js';
import { ReadModelNotReadyError } from './served-row.js';

/** What a user was judged from, and by which catalogue, in the live generation. */
export interface JudgedUser<Facts extends UserFacts> {
  readonly facts: Facts;
  readonly catalog: PlanCatalog;
}

const liveRow = z.tuple([z.object({ generation: z.number() })]);
const namedRow = z.object({ category: z.enum(['subscription', 'checkout']), id: z.string() });

/** Reads what a user was judged from last; in a transaction it is as of one moment. @throws ReadModelNotReadyError */
export async function readJudgedUser(client: PoolClient, userId: string): Promise<JudgedUser<UserFacts>> {
  const { facts, catalog } = await judgedUser(oneByOne(client), userId);
  return { facts, catalog };
}

/** The same with what explains it: which customers were deleted, and whose things are. @throws ReadModelNotReadyError */
export async function readExplainableUser(
  client: PoolClient,
  userId: string,
): Promise<JudgedUser<ExplainableFacts>> {
  const connection = oneByOne(client);
  const { facts, catalog, generation, workingSet, loader } = await judgedUser(connection, userId);
  const named = await namedIn(connection, generation, userId);
  await loader.subscriptions(named.subscription);
  await loader.checkouts(named.checkout);
  await loader.customerRows(customersOf(workingSet));
  const deletedBy = deletionsIn(workingSet);
  const ids = new Set([...named.subscription, ...named.checkout]);
  const things = ownedThings(workingSet, userId, ids);
  // Of these all that claims the customer tells whose they are.
  const byCustomer = things.filter((thing) => ownershipOf(thing)?.rule === 'owner_by_customer');
  await loader.customers(byCustomer.flatMap(({ customer }) => customer?.id ?? []));
  const known = byCustomer.length === 0 ? things : ownedThings(workingSet, userId, ids);
  return { facts: { ...facts, deletedBy, things: () => known }, catalog };
}

async function judgedUser(
  connection: Statements,
  userId: string,
): Promise<
  JudgedUser<UserFacts> & {
    readonly generation: number;
    readonly workingSet: WorkingSet;
    readonly loader: FactsLoader;
  }
> {
  const [{ generation }] = liveRow.parse(
    (await connection.query('select generation from tenure.live_generation', [])).rows,
  );
  const catalogs = new Catalogs(connection, generation, RUNNING_RULES);
  await catalogs.load();
  if (catalogs.inForce === null) throw new ReadModelNotReadyError();
  const workingSet = new WorkingSet();
  const loader = new FactsLoader(connection, generation, workingSet);
  await loader.users([userId], catalogs.inForce.byDefault);
  const judgedBy = workingSet.users.get(userId)?.catalog ?? catalogs.inForce.position;
  const { catalog } = await catalogs.at(judgedBy);
  return { facts: { ...workingSet.factsOfUser(userId) }, catalog, generation, workingSet, loader };
}

/** Subscriptions and sessions that were ever said to be a user's. */
async function namedIn(
  connection: Statements,
  generation: number,
  userId: string,
): Promise<Readonly<Record<'subscription' | 'checkout', readonly string[]>>> {
  const { rows } = await connection.query(
    `select category, id from tenure.user_stream
     where generation = $1 and user_id = $2 and category in ('subscription', 'checkout') order by category, id`,
    [generation, userId],
  );
  const named = z.array(namedRow).parse(rows);
  const idsOf = (kind: string) => named.filter(({ category }) => category === kind).map(({ id }) => id);
  return { subscription: idsOf('subscription'), checkout: idsOf('checkout') };
}

function customersOf({ subscriptions, checkouts }: WorkingSet): readonly string[] {
  return [...subscriptions.values(), ...checkouts.values()].flatMap(({ customer }) => customer ?? []);
}

/** Of each customer that was deleted the event that told it. */
function deletionsIn({ customers }: WorkingSet): ReadonlyMap<string, string> {
  return new Map(
    [...customers.values()].flatMap(({ customer, observations }) => {
      const end = observations.findLast(({ stripeType }) => stripeType === 'customer.deleted');
      return end === undefined ? [] : [[customer, end.eventId] as const];
    }),
  );
}
