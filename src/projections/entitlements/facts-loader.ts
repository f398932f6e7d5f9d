import { z } from 'zod';
import type { Entitlement } from '../../policy/entitlement.js';
import type { ByHandFacts } from '../../policy/facts.js';
import { customerMetadata } from '../../policy/ownership.js';
import { grantText, overrideText } from './by-hand-rows.js';
import {
  FactQueries,
  type Queries,
  type StoredByHand,
  type StoredCheckout,
  type StoredCustomer,
  type StoredFact,
  type StoredUserRow,
} from './fact-queries.js';
import { readCheckout, readCustomer, readInvoice, readObservation } from './fact-rows.js';
import type { Keepable, KeptCheckout, KeptCustomer, KeptSubscription } from './kept-rows.js';
import { missingOf, PaymentsLoader } from './payments-loader.js';
import { withSharedParts } from './shared-parts.js';
import { adoptedPricesSchema, defaultUserRow, parseSnapshotTexts, type UserRow } from './user-row.js';
import type { WorkingSet } from './working-set.js';

const linkText = z.string().nullable();
const NOTHING_BY_HAND: ByHandFacts = { grants: [], overrides: [] };

/**
 * Brings rows of one generation into memory, each once, with what belongs to them. Two calls that are under way at a time may
 * read the same: what the first one added stays, since facts may have come to it meanwhile.
 */
export class FactsLoader {
  readonly payments: PaymentsLoader;
  readonly #queries: FactQueries;

  constructor(
    pool: Queries,
    generation: number,
    private readonly workingSet: WorkingSet,
  ) {
    this.#queries = new FactQueries(pool, generation);
    this.payments = new PaymentsLoader(this.#queries, workingSet);
  }

  /** Subscriptions with their facts, the checkouts that name them and what took back their payments. Unknown ones become empty rows. */
  async subscriptions(ids: Iterable<string>): Promise<void> {
    const missing = this.#missing('subscription', ids, this.workingSet.subscriptions);
    if (missing.length === 0) return;
    const [rows, facts] = await Promise.all([
      this.#queries.subscriptions(missing),
      this.#queries.factsOf(missing),
    ]);
    const payments = await this.payments.joined(rows.flatMap((row) => row.payments));
    const bySubscription = new Map<string, StoredFact[]>();
    for (const fact of facts) {
      const own = bySubscription.get(fact.subscription);
      if (own === undefined) bySubscription.set(fact.subscription, [fact]);
      else own.push(fact);
    }
    const known = new Map(rows.map((row) => [row.subscription, row]));
    // Nothing is added before all of it is read: what cannot be read leaves no half behind.
    const read = missing.map((subscription) => {
      const own = bySubscription.get(subscription) ?? [];
      const link = own.find((fact) => fact.kind === 'link');
      const row = known.get(subscription);
      return {
        subscription,
        customer: row?.customer ?? null,
        owner: row?.owner ?? null,
        conflicts: row?.conflicts ?? null,
        link: link === undefined ? null : linkText.parse(JSON.parse(link.body)),
        customerDeleted: row?.customer_deleted ?? false,
        observations: eachAfter(own, 'observation', readObservation),
        invoices: eachAfter(own, 'invoice', readInvoice),
        ...payments(row?.payments ?? []),
      };
    });
    await this.checkouts(rows.flatMap(({ sessions }) => sessions));
    for (const row of read) {
      if (!this.workingSet.subscriptions.has(row.subscription)) this.workingSet.addSubscription(row);
    }
  }

  /** One subscription, loaded when it is missing. */
  async subscription(id: string): Promise<KeptSubscription> {
    if (!this.workingSet.subscriptions.has(id)) await this.subscriptions([id]);
    else this.workingSet.use('subscription', id);
    const row = this.workingSet.subscriptions.get(id);
    if (row === undefined) throw new Error('a subscription was loaded and is not there');
    return row;
  }

  /** One customer, loaded whole when it is not. */
  async customer(id: string): Promise<KeptCustomer> {
    if (!this.workingSet.wholeCustomers.has(id)) await this.customers([id]);
    else this.workingSet.use('customer', id);
    const row = this.workingSet.customers.get(id);
    if (row === undefined) throw new Error('a customer was loaded and is not there');
    return row;
  }

  /** Checkout sessions; unknown ones become empty rows. */
  async checkouts(sessions: Iterable<string>): Promise<void> {
    const missing = this.#missing('checkout', sessions, this.workingSet.checkouts);
    if (missing.length === 0) return;
    await this.#addCheckouts(await this.#queries.checkouts(missing));
    for (const session of missing) {
      if (this.workingSet.checkouts.has(session)) continue;
      this.workingSet.addCheckout({
        session,
        customer: null,
        subscription: null,
        owner: null,
        conflicts: null,
        link: null,
        started: null,
        observations: [],
        payments: [],
        joined: new Set(),
      });
    }
  }

  /** One checkout session, loaded when it is missing. */
  async checkout(session: string): Promise<KeptCheckout> {
    await this.checkouts([session]);
    const row = this.workingSet.checkouts.get(session);
    if (row === undefined) throw new Error('a checkout was loaded and is not there');
    return row;
  }

  /** The rows of customers alone, of which none is whole by that. Unknown ones become empty rows. */
  async customerRows(ids: Iterable<string>): Promise<void> {
    const missing = this.#missing('customer', ids, this.workingSet.customers);
    if (missing.length > 0) this.#addCustomers(missing, await this.#queries.customers(missing));
  }

  /** Customers with all their subscriptions and all checkouts that name them. Unknown ones become empty rows. */
  async customers(ids: Iterable<string>): Promise<void> {
    const missing = this.#missing('customer', ids, this.workingSet.wholeCustomers);
    if (missing.length === 0) return;
    const rows = await this.#queries.customers(missing);
    this.#addCustomers(missing, rows);
    await this.checkouts(rows.flatMap(({ sessions }) => sessions));
    await this.subscriptions(rows.flatMap(({ subscriptions }) => subscriptions));
    for (const customer of missing) this.workingSet.wholeCustomers.add(customer);
  }

  /** What one user has by hand, loaded when it is missing. */
  async byHand(userId: string): Promise<ByHandFacts> {
    const { byHand, wholeUsers } = this.workingSet;
    const missing = this.#missing('user', [userId], { has: (id) => byHand.has(id) || wholeUsers.has(id) });
    if (missing.length > 0) this.#addByHand(await this.#queries.byHand(missing));
    return byHand.get(userId) ?? NOTHING_BY_HAND;
  }

  /** Users with their rows, all their subscriptions and purchases, and what they have by hand. One without a row starts from `byDefault`. */
  async users(ids: Iterable<string>, byDefault: Entitlement): Promise<void> {
    const missing = this.#missing('user', ids, this.workingSet.wholeUsers);
    if (missing.length === 0) return;
    const rows = await this.#queries.users(missing);
    const known = new Map(rows.map((row) => [row.user_id, row]));
    for (const userId of missing) {
      const row = known.get(userId);
      this.workingSet.users.set(
        userId,
        row === undefined || row.snapshot === null
          ? defaultUserRow(userId, byDefault)
          : userRowOf(row, byDefault),
      );
    }
    this.#addByHand(rows);
    await this.subscriptions(rows.flatMap(({ subscriptions }) => subscriptions));
    await this.checkouts(rows.flatMap(({ purchases }) => purchases));
    for (const userId of missing) this.workingSet.wholeUsers.add(userId);
  }

  /** Whether users are in memory, with all that belongs to them; all of them are used. */
  hasUsers(ids: readonly string[]): boolean {
    return this.#missing('user', ids, this.workingSet.wholeUsers).length === 0;
  }

  /** Of the ids those that are not in memory; all of them are used. */
  #missing(kind: Keepable, ids: Iterable<string>, known: { has(id: string): boolean }): readonly string[] {
    return missingOf(kind, ids, known, this.workingSet);
  }

  #addCustomers(missing: readonly string[], rows: readonly StoredCustomer[]): void {
    const known = new Map(rows.map((row) => [row.customer, row]));
    for (const customer of missing) {
      if (this.workingSet.customers.has(customer)) continue;
      const row = known.get(customer);
      const { link, observations } =
        row === undefined || row.facts === null ? { link: null, observations: [] } : readCustomer(row.facts);
      this.workingSet.customers.set(customer, {
        customer,
        word: { link, metadata: customerMetadata(observations), owner: row?.owner ?? null },
        conflicts: row?.conflicts ?? null,
        link,
        observations,
      });
    }
  }

  /** Adds what users have by hand; of whom it is here already it is newer than the rows. */
  #addByHand(rows: readonly StoredByHand[]): void {
    const read: [userId: string, ByHandFacts][] = [];
    for (const { user_id: userId, grants, overrides } of rows) {
      if (grants.length + overrides.length === 0 || this.workingSet.byHand.has(userId)) continue;
      read.push([
        userId,
        {
          grants: grants.map((facts) => grantText.parse(JSON.parse(facts))),
          overrides: overrides.map((facts) => overrideText.parse(JSON.parse(facts))),
        },
      ]);
    }
    for (const [userId, own] of read) this.workingSet.byHand.set(userId, own);
  }

  async #addCheckouts(rows: readonly StoredCheckout[]): Promise<void> {
    const missing = rows.filter(({ session }) => !this.workingSet.checkouts.has(session));
    const payments = await this.payments.joined(missing.flatMap((row) => row.payments));
    const read = missing.map(({ facts, purchase: _, payments: ids, ...row }) => ({
      ...row,
      ...readCheckout(facts),
      ...payments(ids),
    }));
    for (const row of read) {
      if (this.workingSet.checkouts.has(row.session)) continue;
      this.workingSet.use('checkout', row.session);
      this.workingSet.addCheckout(row);
    }
  }
}

/** Reads the facts of a kind, each with what is equal in the one before it. */
function eachAfter<Fact>(
  stored: readonly StoredFact[],
  kind: StoredFact['kind'],
  read: (text: string) => Fact,
): Fact[] {
  const facts: Fact[] = [];
  for (const fact of stored) {
    if (fact.kind === kind) facts.push(withSharedParts(facts.at(-1), read(fact.body)));
  }
  return facts;
}

/**
 * A user's row as it was written. What cannot be read back gives nothing: who has it begins again from the default plan, as if
 * never judged, so that it is written again.
 */
function userRowOf(row: StoredUserRow, byDefault: Entitlement): UserRow {
  const texts = parseSnapshotTexts(row.snapshot, row.successors);
  return {
    userId: row.user_id,
    ...(texts ?? { entitlement: byDefault, successors: [] }),
    counter: row.counter,
    position: row.position,
    changedAt: row.changed_at?.getTime() ?? null,
    historySeq: row.history_seq,
    catalog: texts === null ? null : row.catalog,
    adoptedPrices: adoptedPricesSchema.parse(JSON.parse(row.adopted_prices)),
  };
}
