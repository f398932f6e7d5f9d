import type { PoolClient } from 'pg';
import { z } from 'zod';
import { oneByOne, type Statements } from '../../database/in-transaction.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { ExplainableFacts } from '../../policy/reasons/explain.js';
import { Catalogs } from '../entitlements/catalogs.js';
import { customerText } from '../entitlements/fact-rows.js';
import { FactsLoader } from '../entitlements/facts-loader.js';
import { RUNNING_RULES } from '../entitlements/folding-rules.js';
import { WorkingSet } from '../entitlements/working-set.js';
import { ReadModelNotReadyError } from './served-row.js';

/** What a user was judged from, and by which catalogue, in the live generation. */
export interface JudgedUser {
  readonly facts: ExplainableFacts;
  readonly catalog: PlanCatalog;
}

const liveRow = z.tuple([z.object({ generation: z.number() })]);
const customerRow = z.object({ customer: z.string(), facts: z.string() });

/** Reads what a user was judged from last; in a transaction it is as of one moment. @throws ReadModelNotReadyError */
export async function readJudgedUser(client: PoolClient, userId: string): Promise<JudgedUser> {
  const connection = oneByOne(client);
  const [{ generation }] = liveRow.parse(
    (await connection.query('select generation from tenure.live_generation', [])).rows,
  );
  const catalogs = new Catalogs(connection, generation, RUNNING_RULES);
  await catalogs.load();
  if (catalogs.inForce === null) throw new ReadModelNotReadyError();
  const workingSet = new WorkingSet();
  await new FactsLoader(connection, generation, workingSet).users([userId], catalogs.inForce.byDefault);
  const judgedBy = workingSet.users.get(userId)?.catalog ?? catalogs.inForce.position;
  return {
    facts: {
      ...workingSet.factsOfUser(userId),
      deletedBy: await deletionsOf(connection, generation, workingSet),
    },
    catalog: (await catalogs.at(judgedBy)).catalog,
  };
}

/** Of each customer of these subscriptions that was deleted the event that told it. */
async function deletionsOf(
  connection: Statements,
  generation: number,
  { subscriptions }: WorkingSet,
): Promise<ReadonlyMap<string, string>> {
  const deleted = [...subscriptions.values()].filter(({ customerDeleted }) => customerDeleted);
  const customers = deleted.flatMap(({ customer }) => customer ?? []);
  if (customers.length === 0) return new Map();
  const { rows } = await connection.query(
    'select customer, facts from tenure.customer where generation = $1 and customer = any($2)',
    [generation, customers],
  );
  return new Map(
    z
      .array(customerRow)
      .parse(rows)
      .flatMap(({ customer, facts }) => {
        const { observations } = customerText.parse(JSON.parse(facts));
        const end = observations.findLast(({ stripeType }) => stripeType === 'customer.deleted');
        return end === undefined ? [] : [[customer, end.eventId] as const];
      }),
  );
}
