import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction, oneByOne, type Statements } from '../../database/in-transaction.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import {
  type ExplainableFacts,
  type Explanation,
  explain,
  explainKey,
} from '../../policy/reasons/explain.js';
import { Catalogs } from '../entitlements/catalogs.js';
import { customerText } from '../entitlements/fact-rows.js';
import { FactsLoader } from '../entitlements/facts-loader.js';
import { RUNNING_RULES } from '../entitlements/folding-rules.js';
import type { Served } from '../entitlements/snapshot.js';
import { WorkingSet } from '../entitlements/working-set.js';
import { type ReasonWithEvents, withEvents } from './reason-events.js';
import { ReadModelNotReadyError, readServed } from './served-row.js';
import { UserFactsReader } from './user-facts.reader.js';

/** What is served of a user, by which catalogue, and the reasons of it. */
export interface ExplainedUser {
  readonly served: Served;
  readonly catalog: PlanCatalog;
  readonly reasons: readonly ReasonWithEvents[];
}

export interface ExplanationReaderOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'read'>;
  readonly streamPrefix: string;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now: () => number;
}

/** What a user was judged from, as of one moment. */
interface Judged {
  readonly served: Served;
  readonly facts: ExplainableFacts;
  readonly catalog: PlanCatalog;
  readonly streams: readonly string[];
}

const liveRow = z.tuple([z.object({ generation: z.number() })]);
const customerRow = z.object({ customer: z.string(), facts: z.string() });

/**
 * Explains what users may do now: reads the snapshot that is served, the facts it was judged from and the catalogue it was
 * judged by as of one moment, and judges again with the running code, which then says its reasons.
 */
export class ExplanationReader {
  constructor(private readonly options: ExplanationReaderOptions) {}

  /** The reasons of the whole snapshot. @throws ReadModelNotReadyError */
  explain(userId: string): Promise<ExplainedUser> {
    return this.#explained(userId, explain);
  }

  /** Why a user may, or may not, what a key of the catalogue names. @throws ReadModelNotReadyError */
  explainKey(userId: string, key: string): Promise<ExplainedUser> {
    return this.#explained(userId, (facts, catalog, now) => explainKey(facts, catalog, now, key));
  }

  async #explained(
    userId: string,
    explainFacts: (facts: ExplainableFacts, catalog: PlanCatalog, now: number) => Explanation,
  ): Promise<ExplainedUser> {
    const { pool, store } = this.options;
    const now = this.options.now();
    const judged = await inTransaction(
      pool,
      (client) => this.#read(client, userId, now),
      'repeatable read read only',
    );
    const { served, facts, catalog, streams } = judged;
    const { reasons } = explainFacts(facts, catalog, now);
    return { served, catalog, reasons: await withEvents(reasons, store, streams) };
  }

  async #read(client: PoolClient, userId: string, now: number): Promise<Judged> {
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
    const [served] = (await readServed(client, [userId], () => now)).served;
    if (served === undefined) throw new Error('a user that was asked for was not answered');
    const { subscriptions } = workingSet.factsOfUser(userId);
    return {
      served,
      facts: { subscriptions, deletedBy: await this.#deletions(connection, generation, workingSet) },
      catalog: (await catalogs.at(judgedBy)).catalog,
      streams: await new UserFactsReader(connection).streams(userId, this.options.streamPrefix),
    };
  }

  /** Of each customer of these subscriptions that was deleted the event that told it. */
  async #deletions(
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
}
