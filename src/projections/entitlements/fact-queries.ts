import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';

const nullable = z.string().nullable();
const ids = z.array(z.string());
const storedSubscription = z.object({
  subscription: z.string(),
  customer: nullable,
  owner: nullable,
  conflicts: nullable,
  customer_deleted: z.boolean().nullable(),
  sessions: ids,
  payments: ids,
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
  facts: nullable,
  subscriptions: ids,
  sessions: ids,
});
const storedCheckout = z.object({
  session: z.string(),
  customer: nullable,
  subscription: nullable,
  owner: nullable,
  conflicts: nullable,
  purchase: z.boolean(),
  facts: z.string(),
  payments: ids,
});
const storedByHand = z.object({ user_id: z.string(), grants: ids, overrides: ids });
const ofUser = { ...storedByHand.shape, subscriptions: ids, purchases: ids };
const storedUserRow = z.object({
  ...ofUser,
  snapshot: z.string(),
  successors: z.string(),
  counter: z.number(),
  position: nullable,
  changed_at: z.date().nullable(),
  history_seq: z.number(),
  catalog: z.string(),
  adopted_prices: z.string(),
});
const storedUser = z.union([storedUserRow, z.object({ ...ofUser, snapshot: z.null() })]);
const storedPayment = z.object({
  payment: z.string(),
  joined: z.boolean().nullable(),
  facts: nullable,
  others: ids,
  invoices: ids,
  sessions: ids,
});
const storedInvoice = z.object({ invoice: z.string(), payments: ids, subscriptions: ids });

/** A row that is not there has nulls; what it is joined to is there in any case. */
export type StoredSubscription = z.infer<typeof storedSubscription>;
export type StoredFact = z.infer<typeof storedFact>;
/** As `StoredSubscription`. */
export type StoredCustomer = z.infer<typeof storedCustomer>;
export type StoredCheckout = z.infer<typeof storedCheckout>;
export type StoredUserRow = z.infer<typeof storedUserRow>;
/** As `StoredSubscription`. */
export type StoredUser = z.infer<typeof storedUser>;
export type StoredByHand = z.infer<typeof storedByHand>;
/** As `StoredSubscription`. */
export type StoredPayment = z.infer<typeof storedPayment>;
export type StoredInvoice = z.infer<typeof storedInvoice>;

/** What reads rows. */
export type Queries = Statements;

/**
 * The keys of a statement. Each is looked up by itself, in a lateral query that PostgreSQL cannot flatten (`offset 0`), or in
 * a list of what is joined to it: of a table without statistics, as each is in its first minute, PostgreSQL takes a
 * generation for a few rows, and would rather read all of it than look for many keys.
 */
const KEYS = 'from unnest($2::text[]) as key (id)';

const BY_HAND = `array(select facts from tenure.grant where generation = $1 and user_id = key.id) as grants,
  array(select facts from tenure.override where generation = $1 and user_id = key.id) as overrides`;

/** Ids that are joined to a key. */
function joinedIds(kind: JoinKind, otherKind: JoinKind): string {
  return `array(select other from tenure.payment_join
    where generation = $1 and kind = '${kind}' and id = key.id and other_kind = '${otherKind}')`;
}
type JoinKind = 'payment' | 'invoice' | 'session' | 'subscription';

/** Reads rows of one generation by their keys, with the keys of what belongs to them; their JSON is still text. */
export class FactQueries {
  constructor(
    private readonly pool: Queries,
    private readonly generation: number,
  ) {}

  /** Subscriptions with the checkout sessions that name them and the payments that are joined to them. */
  subscriptions(keys: readonly string[]): Promise<readonly StoredSubscription[]> {
    return this.#rows(
      'subscriptions',
      `select key.id as subscription, own.*,
         array(select session from tenure.checkout where generation = $1 and subscription = key.id) as sessions,
         ${joinedIds('subscription', 'payment')} as payments
       ${KEYS} left join lateral (
         select customer, owner, conflicts, customer_deleted from tenure.subscription
         where generation = $1 and subscription = key.id offset 0
       ) as own on true`,
      keys,
      storedSubscription,
    );
  }

  /** Facts of subscriptions: what was seen of each, its invoices, and ops' link. */
  factsOf(subscriptions: readonly string[]): Promise<readonly StoredFact[]> {
    return this.#rows(
      'facts',
      `select key.id as subscription, own.* ${KEYS} cross join lateral (
         select kind, body from tenure.subscription_fact where generation = $1 and subscription = key.id offset 0
       ) as own`,
      subscriptions,
      storedFact,
    );
  }

  /** Checkout sessions, those that are purchases with the payments that are joined to them. */
  checkouts(sessions: readonly string[]): Promise<readonly StoredCheckout[]> {
    return this.#rows(
      'checkouts',
      `select key.id as session, own.*,
         case when own.purchase then ${joinedIds('session', 'payment')} else '{}' end as payments
       ${KEYS} cross join lateral (
         select customer, subscription, owner, conflicts, purchase, facts from tenure.checkout
         where generation = $1 and session = key.id offset 0
       ) as own`,
      sessions,
      storedCheckout,
    );
  }

  /** Customers with their subscriptions and the checkout sessions that name them. */
  customers(keys: readonly string[]): Promise<readonly StoredCustomer[]> {
    return this.#rows(
      'customers',
      `select key.id as customer, own.*,
         array(select subscription from tenure.subscription where generation = $1 and customer = key.id) as subscriptions,
         array(select session from tenure.checkout where generation = $1 and customer = key.id) as sessions
       ${KEYS} left join lateral (
         select owner, conflicts, facts from tenure.customer where generation = $1 and customer = key.id offset 0
       ) as own on true`,
      keys,
      storedCustomer,
    );
  }

  /** Users with their subscriptions, the sessions by which they bought for good, and what they have by hand. */
  users(keys: readonly string[]): Promise<readonly StoredUser[]> {
    return this.#rows(
      'users',
      `select key.id as user_id, own.*, ${BY_HAND},
         array(select subscription from tenure.subscription where generation = $1 and owner = key.id) as subscriptions,
         array(select session from tenure.checkout where generation = $1 and owner = key.id) as purchases
       ${KEYS} left join lateral (
         select snapshot, successors, counter, position::text, changed_at, history_seq, catalog::text, adopted_prices
         from tenure.user_role where generation = $1 and user_id = key.id offset 0
       ) as own on true`,
      keys,
      storedUser,
    );
  }

  /** What users have by hand. */
  byHand(userIds: readonly string[]): Promise<readonly StoredByHand[]> {
    return this.#rows('by-hand', `select key.id as user_id, ${BY_HAND} ${KEYS}`, userIds, storedByHand);
  }

  /** Payments by some of their ids, with further ids of them, and the invoices and sessions that are named with these. */
  payments(keys: readonly string[]): Promise<readonly StoredPayment[]> {
    return this.#rows(
      'payments',
      `select key.id as payment, own.*, ${joinedIds('payment', 'payment')} as others,
         ${joinedIds('payment', 'invoice')} as invoices, ${joinedIds('payment', 'session')} as sessions
       ${KEYS} left join lateral (
         select joined, facts from tenure.payment where generation = $1 and payment = key.id offset 0
       ) as own on true`,
      keys,
      storedPayment,
    );
  }

  /** Invoices, with the payments that are named with them and the subscriptions that they are of. */
  invoices(keys: readonly string[]): Promise<readonly StoredInvoice[]> {
    return this.#rows(
      'invoices',
      `select key.id as invoice, ${joinedIds('invoice', 'payment')} as payments,
         ${joinedIds('invoice', 'subscription')} as subscriptions ${KEYS}`,
      keys,
      storedInvoice,
    );
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
