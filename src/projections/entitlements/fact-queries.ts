import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';

const nullable = z.string().nullable();
const storedSubscription = z.object({
  subscription: z.string(),
  customer: nullable,
  owner: nullable,
  conflicts: nullable,
  customer_deleted: z.boolean(),
});
const storedFact = z.object({
  subscription: z.string(),
  kind: z.enum(['observation', 'invoice', 'link']),
  body: z.string(),
});
const storedCustomer = z.object({
  customer: z.string(),
  owner: nullable,
  conflicts: nullable,
  facts: z.string(),
});
const storedCheckout = z.object({
  session: z.string(),
  customer: nullable,
  subscription: nullable,
  owner: nullable,
  conflicts: nullable,
  purchase: z.boolean(),
  facts: z.string(),
});
const storedUser = z.object({
  user_id: z.string(),
  snapshot: z.string(),
  successors: z.string(),
  counter: z.number(),
  position: nullable,
  changed_at: z.date().nullable(),
  history_seq: z.number(),
  catalog: z.string(),
  adopted_prices: z.string(),
});
const storedByHand = z.object({
  user_id: z.string(),
  kind: z.enum(['grant', 'override']),
  facts: z.string(),
});
const idRow = z.object({ id: z.string() });

export type StoredSubscription = z.infer<typeof storedSubscription>;
export type StoredFact = z.infer<typeof storedFact>;
export type StoredCustomer = z.infer<typeof storedCustomer>;
export type StoredCheckout = z.infer<typeof storedCheckout>;
export type StoredUser = z.infer<typeof storedUser>;
export type StoredByHand = z.infer<typeof storedByHand>;

/** What reads rows. */
export type Queries = Statements;

/** Reads rows of one generation by their keys, in the shape of their tables; their JSON is still text. */
export class FactQueries {
  constructor(
    private readonly pool: Queries,
    private readonly generation: number,
  ) {}

  subscriptions(ids: readonly string[]): Promise<readonly StoredSubscription[]> {
    return this.#rows(
      'subscriptions',
      'select subscription, customer, owner, conflicts, customer_deleted from tenure.subscription where generation = $1 and subscription = any($2)',
      ids,
      storedSubscription,
    );
  }

  /** Facts of subscriptions: what was seen of each, its invoices, and ops' link. */
  factsOf(subscriptions: readonly string[]): Promise<readonly StoredFact[]> {
    return this.#rows(
      'facts',
      'select subscription, kind, body from tenure.subscription_fact where generation = $1 and subscription = any($2)',
      subscriptions,
      storedFact,
    );
  }

  /** Checkout sessions by their own ids, or by what they name. */
  checkouts(
    by: 'session' | 'subscription' | 'customer',
    ids: readonly string[],
  ): Promise<readonly StoredCheckout[]> {
    return this.#rows(
      `checkouts-by-${by}`,
      `select session, customer, subscription, owner, conflicts, purchase, facts from tenure.checkout where generation = $1 and ${by} = any($2)`,
      ids,
      storedCheckout,
    );
  }

  customers(ids: readonly string[]): Promise<readonly StoredCustomer[]> {
    return this.#rows(
      'customers',
      'select customer, owner, conflicts, facts from tenure.customer where generation = $1 and customer = any($2)',
      ids,
      storedCustomer,
    );
  }

  users(ids: readonly string[]): Promise<readonly StoredUser[]> {
    return this.#rows(
      'users',
      `select user_id, snapshot, successors, counter, position::text, changed_at, history_seq, catalog::text,
         adopted_prices
       from tenure.user_role where generation = $1 and user_id = any($2)`,
      ids,
      storedUser,
    );
  }

  /** What users have by hand, one row a grant or an override. */
  byHand(userIds: readonly string[]): Promise<readonly StoredByHand[]> {
    return this.#rows(
      'by-hand',
      `select user_id, 'grant' as kind, facts from tenure.grant where generation = $1 and user_id = any($2)
       union all
       select user_id, 'override', facts from tenure.override where generation = $1 and user_id = any($2)`,
      userIds,
      storedByHand,
    );
  }

  /** Ids of the subscriptions of customers, or of users. */
  subscriptionIds(of: 'customer' | 'owner', ids: readonly string[]): Promise<readonly string[]> {
    return this.#ids(
      `subscriptions-of-${of}`,
      `select subscription as id from tenure.subscription where generation = $1 and ${of} = any($2)`,
      ids,
    );
  }

  /** Ids of the sessions by which users bought for good. */
  purchaseIds(owners: readonly string[]): Promise<readonly string[]> {
    return this.#ids(
      'purchases-of-owner',
      'select session as id from tenure.checkout where generation = $1 and owner = any($2)',
      owners,
    );
  }

  async #ids(name: string, text: string, keys: readonly string[]): Promise<readonly string[]> {
    return (await this.#rows(name, text, keys, idRow)).map(({ id }) => id);
  }

  /** A statement of this `name` has one text for ever: each connection plans it once. */
  async #rows<Row>(
    name: string,
    text: string,
    keys: readonly string[],
    schema: z.ZodType<Row>,
  ): Promise<readonly Row[]> {
    const values = [this.generation, keys];
    const found = await this.pool.query({ name: `tenure-read-${name}`, text, values });
    return z.array(schema).parse(found.rows);
  }
}
