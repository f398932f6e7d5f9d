import type { PoolClient, QueryConfig } from 'pg';
import { isTransient } from '../../database/transient.js';
import type { InvoiceObservation, Observation } from '../../policy/facts.js';
import type { Unwritable } from '../engine/projector.js';
import { EventLoopShare } from '../engine/yield-if-due.js';

import { noSetAsideChanges, type SetAsideChanges, setAsideStatements } from './set-aside-rows.js';
import { type HistoryEntry, textOf, type UserRow } from './user-row.js';
import { type GrownVersion, growOffsets } from './version-offsets.js';
import type { KeptCheckout, KeptCustomer, KeptSubscription } from './working-set.js';

/** A fact of a subscription to be added. */
export interface NewFact {
  readonly subscription: string;
  readonly factId: string;
  readonly kind: 'observation' | 'invoice' | 'link';
  readonly body: Observation | InvoiceObservation | string | null;
}

/** A catalogue to be judged by from its position on. */
export interface NewCatalog {
  readonly position: string;
  readonly hash: string;
  readonly catalog: string;
  readonly defaultSnapshot: string;
  readonly publishedAt: number;
}

/** What a batch changes in the read models; rows are written as they are when the batch ends. */
export class WriteBatch {
  readonly subscriptions = new Set<KeptSubscription>();
  readonly customers = new Set<KeptCustomer>();
  readonly checkouts = new Set<KeptCheckout>();
  readonly users = new Map<string, UserRow>();
  /** Rows of `users` as they were when the batch began. */
  readonly usersBefore = new Map<string, UserRow>();
  readonly facts: NewFact[] = [];
  readonly history: HistoryEntry[] = [];
  readonly setAside: SetAsideChanges = noSetAsideChanges();
  catalog: NewCatalog | null = null;

  /** Notes how a user's row moves on. */
  moveUser(before: UserRow, after: UserRow, history: readonly HistoryEntry[]): void {
    if (!this.usersBefore.has(after.userId)) this.usersBefore.set(after.userId, before);
    this.users.set(after.userId, after);
    this.history.push(...history);
  }

  /**
   * Writes everything with one statement a table, in the order given: equal logs give equal rows. The texts of a statement
   * are made while the server is still busy with the one before it. `served` replaces the server's clock as what is served
   * by. What belongs to the users `apart` may fail without the rest; returns those of them for whom it did.
   */
  async write(
    client: PoolClient,
    generation: number,
    served: (() => number) | null,
    apart: ReadonlySet<string>,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (apart.size === 0) {
      await this.#writeAll(client, generation, served);
      return new Map();
    }
    await this.#without(apart).#writeAll(client, generation, served);
    return this.#writeEach([...apart], client, generation, served);
  }

  /** Finds which users, or else what belongs to none of them, cannot be written, in a transaction that is rolled back. */
  async findUnwritable(
    client: PoolClient,
    generation: number,
    served: (() => number) | null,
  ): Promise<Unwritable> {
    const all = new Set([...this.users.keys(), ...this.history.map(({ userId }) => userId)]);
    try {
      await client.query('savepoint rest');
      await this.#without(all).#writeAll(client, generation, served);
    } catch (error) {
      if (isTransient(error)) throw error;
      await client.query('rollback to savepoint rest');
      return { whole: error, users: new Map() };
    }
    return { whole: null, users: await this.#writeEach([...all], client, generation, served) };
  }

  async #writeEach(
    users: readonly string[],
    client: PoolClient,
    generation: number,
    served: (() => number) | null,
  ): Promise<ReadonlyMap<string, unknown>> {
    const failed = new Map<string, unknown>();
    for (const userId of users) {
      await client.query('savepoint one_user');
      try {
        await this.#ofOnly(userId).#writeAll(client, generation, served);
      } catch (error) {
        if (isTransient(error)) throw error;
        failed.set(userId, error);
        await client.query('rollback to savepoint one_user');
      }
      await client.query('release savepoint one_user');
    }
    return failed;
  }

  /** All but the rows of these users. */
  #without(users: ReadonlySet<string>): WriteBatch {
    const rest = new WriteBatch();
    for (const row of this.subscriptions) rest.subscriptions.add(row);
    for (const row of this.customers) rest.customers.add(row);
    for (const row of this.checkouts) rest.checkouts.add(row);
    rest.facts.push(...this.facts);
    rest.catalog = this.catalog;
    for (const userId of this.users.keys()) if (!users.has(userId)) this.#copyRows(userId, rest);
    rest.history.push(...this.history.filter(({ userId }) => !users.has(userId)));
    const { streams, late, users: marked } = this.setAside;
    for (const [name, stream] of streams) rest.setAside.streams.set(name, stream);
    for (const [userId, at] of late) rest.setAside.late.set(userId, at);
    for (const [userId, user] of marked) if (!users.has(userId)) rest.setAside.users.set(userId, user);
    return rest;
  }

  #ofOnly(userId: string): WriteBatch {
    const own = new WriteBatch();
    this.#copyRows(userId, own);
    own.history.push(...this.history.filter((entry) => entry.userId === userId));
    const marked = this.setAside.users.get(userId);
    if (marked !== undefined) own.setAside.users.set(userId, marked);
    return own;
  }

  #copyRows(userId: string, to: WriteBatch): void {
    const [before, after] = [this.usersBefore.get(userId), this.users.get(userId)];
    if (before !== undefined) to.usersBefore.set(userId, before);
    if (after !== undefined) to.users.set(userId, after);
  }

  async #writeAll(client: PoolClient, generation: number, served: (() => number) | null): Promise<void> {
    const loopShare = new EventLoopShare();
    const moves = [...this.usersBefore].flatMap(([userId, before]) => {
      const after = this.users.get(userId);
      return after === undefined ? [] : [{ before, after }];
    });
    const grown = await growOffsets(client, generation, moves, served);
    let sent: Promise<unknown> = Promise.resolve();
    for (const make of this.#statements(generation, grown)) {
      const statement = make();
      await sent;
      sent = client.query(statement);
      sent.catch(() => undefined); // told by the next `await`; meanwhile nobody waits for it
      await loopShare.yieldIfDue();
    }
    await sent;
  }

  #statements(generation: number, grown: readonly GrownVersion[]): readonly (() => QueryConfig)[] {
    const { catalog } = this;
    const raises = this.history.filter((entry) => entry.raised);
    const raised = new Set(raises.map(({ userId }) => userId));
    const told: readonly GrownVersion[] = [
      ...raises.map(({ userId, counter, validFrom: at }) => ({ userId, counter, at })),
      ...grown.filter(({ userId }) => !raised.has(userId)),
    ];
    return [
      ...(this.facts.length > 0 ? [() => this.#factsStatement(generation)] : []),
      ...(this.subscriptions.size > 0 ? [() => this.#subscriptionsStatement(generation)] : []),
      ...(this.customers.size > 0 ? [() => this.#customersStatement(generation)] : []),
      ...(this.checkouts.size > 0 ? [() => this.#checkoutsStatement(generation)] : []),
      ...(this.users.size > 0 ? [() => this.#usersStatement(generation)] : []),
      ...(this.history.length > 0 ? [() => this.#historyStatement(generation)] : []),
      ...(raises.length > 0 ? [() => this.#versionsStatement(generation)] : []),
      ...(told.length > 0 ? [() => feedStatement(generation, told)] : []),
      ...(catalog === null ? [] : [() => catalogStatement(generation, catalog)]),
      ...setAsideStatements(generation, this.setAside),
    ];
  }

  #factsStatement(generation: number): QueryConfig {
    const last = new Map(this.facts.map((fact) => [`${fact.subscription}\n${fact.factId}`, fact]));
    const facts = [...last.values()];
    return {
      name: 'tenure-write-facts',
      text: `insert into tenure.subscription_fact (generation, subscription, fact_id, kind, body)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], string_to_array($5, ${SEPARATOR}))
             on conflict (generation, subscription, fact_id) do update set body = excluded.body`,
      values: [
        generation,
        facts.map((fact) => fact.subscription),
        facts.map((fact) => fact.factId),
        facts.map((fact) => fact.kind),
        jsonColumn(facts, (fact) => fact.body),
      ],
    };
  }

  #subscriptionsStatement(generation: number): QueryConfig {
    const rows = [...this.subscriptions];
    return {
      name: 'tenure-write-subscriptions',
      text: `insert into tenure.subscription (generation, subscription, customer, owner, conflicts, customer_deleted)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bool[])
             on conflict (generation, subscription) do update
             set customer = excluded.customer, owner = excluded.owner, conflicts = excluded.conflicts,
               customer_deleted = excluded.customer_deleted`,
      values: [
        generation,
        rows.map((row) => row.subscription),
        rows.map((row) => row.customer),
        rows.map((row) => row.owner),
        rows.map((row) => row.conflicts),
        rows.map((row) => row.customerDeleted),
      ],
    };
  }

  #customersStatement(generation: number): QueryConfig {
    const rows = [...this.customers];
    return {
      name: 'tenure-write-customers',
      text: `insert into tenure.customer (generation, customer, owner, conflicts, facts)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], string_to_array($5, ${SEPARATOR}))
             on conflict (generation, customer) do update
             set owner = excluded.owner, conflicts = excluded.conflicts, facts = excluded.facts`,
      values: [
        generation,
        rows.map((row) => row.customer),
        rows.map((row) => row.word.owner),
        rows.map((row) => row.conflicts),
        jsonColumn(rows, ({ link, observations }) => ({ link, observations })),
      ],
    };
  }

  #checkoutsStatement(generation: number): QueryConfig {
    const rows = [...this.checkouts];
    return {
      name: 'tenure-write-checkouts',
      text: `insert into tenure.checkout (generation, session, customer, subscription, facts)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], string_to_array($5, ${SEPARATOR}))
             on conflict (generation, session) do update
             set customer = excluded.customer, subscription = excluded.subscription, facts = excluded.facts`,
      values: [
        generation,
        rows.map((row) => row.session),
        rows.map((row) => row.customer),
        rows.map((row) => row.subscription),
        jsonColumn(rows, (row) => row.observations),
      ],
    };
  }

  #usersStatement(generation: number): QueryConfig {
    const rows = [...this.users.values()];
    return {
      name: 'tenure-write-users',
      text: `insert into tenure.user_role (generation, user_id, role, plan, status, snapshot, successors, next_at,
               counter, position, changed_at, history_seq, catalog, adopted_prices)
             select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[],
               string_to_array($6, ${SEPARATOR}), string_to_array($7, ${SEPARATOR}), $8::timestamptz[], $9::int[],
               $10::bigint[], $11::timestamptz[], $12::int[], $13::bigint[], string_to_array($14, ${SEPARATOR}))
             on conflict (generation, user_id) do update
             set role = excluded.role, plan = excluded.plan, status = excluded.status,
               snapshot = excluded.snapshot, successors = excluded.successors, next_at = excluded.next_at,
               counter = excluded.counter, position = excluded.position, changed_at = excluded.changed_at,
               history_seq = excluded.history_seq, catalog = excluded.catalog, adopted_prices = excluded.adopted_prices`,
      values: [
        generation,
        rows.map((row) => row.userId),
        rows.map((row) => row.entitlement.role),
        rows.map((row) => row.entitlement.plan),
        rows.map((row) => row.entitlement.status),
        textColumn(rows, (row) => textOf(row.entitlement)),
        jsonColumn(rows, (row) => row.successors),
        rows.map((row) => instant(row.successors[0]?.at ?? null)),
        rows.map((row) => row.counter),
        rows.map((row) => row.position),
        rows.map((row) => instant(row.changedAt)),
        rows.map((row) => row.historySeq),
        rows.map((row) => row.catalog),
        jsonColumn(rows, (row) => row.adoptedPrices),
      ],
    };
  }

  #historyStatement(generation: number): QueryConfig {
    const events = this.history.map(({ cause }) => (cause.kind === 'event' ? cause : null));
    return {
      name: 'tenure-write-history',
      text: `insert into tenure.entitlement_history (generation, user_id, seq, valid_from, changed_at, cause, event_id,
               event_type, position, counter, snapshot, late_at)
             select $1, u, s, v, v, c, e, t, p, n, x, l from unnest($2::text[], $3::int[], $4::timestamptz[], $5::text[],
               $6::uuid[], $7::text[], $8::bigint[], $9::int[], string_to_array($10, ${SEPARATOR}), $11::bigint[])
               as h(u, s, v, c, e, t, p, n, x, l)`,
      values: [
        generation,
        this.history.map((entry) => entry.userId),
        this.history.map((entry) => entry.seq),
        this.history.map((entry) => instant(entry.validFrom)),
        this.history.map((entry) => entry.cause.kind),
        events.map((event) => event?.eventId ?? null),
        events.map((event) => event?.eventType ?? null),
        events.map((event) => event?.position ?? null),
        this.history.map((entry) => entry.counter),
        textColumn(this.history, (entry) => textOf(entry.entitlement)),
        this.history.map((entry) => entry.lateAt),
      ],
    };
  }

  #versionsStatement(generation: number): QueryConfig {
    const raises = this.history.filter((entry) => entry.raised);
    const last = [...new Map(raises.map((entry) => [entry.userId, entry])).values()];
    return {
      name: 'tenure-write-versions',
      text: `insert into tenure.revocation_version (generation, user_id, counter, raised_at)
             select $1, * from unnest($2::text[], $3::int[], $4::timestamptz[])
             on conflict (generation, user_id) do update
             set counter = excluded.counter, raised_at = excluded.raised_at`,
      values: [
        generation,
        last.map((entry) => entry.userId),
        last.map((entry) => entry.counter),
        last.map((entry) => instant(entry.validFrom)),
      ],
    };
  }
}

/** For every raise a line with a cursor of its own; what is served is the counter plus the user's offset. */
function feedStatement(generation: number, raises: readonly GrownVersion[]): QueryConfig {
  return {
    name: 'tenure-write-feed',
    // Only the live generation raises what is served; a build beside it repeats history.
    text: `with head as (
             update tenure.revocation_feed_head set cursor = cursor + cardinality($1::text[])
             where $4 = (select generation from tenure.live_generation) returning cursor
           )
           insert into tenure.revocation_feed (cursor, user_id, version, raised_at)
           select head.cursor - cardinality($1::text[]) + r.n, r.u, r.c + coalesce(o.version_offset, 0), r.at
           from head, unnest($1::text[], $2::int[], $3::timestamptz[]) with ordinality as r(u, c, at, n)
           left join tenure.revocation_offset o on o.user_id = r.u`,
    values: [
      raises.map(({ userId }) => userId),
      raises.map(({ counter }) => counter),
      raises.map(({ at }) => instant(at)),
      generation,
    ],
  };
}

function catalogStatement(generation: number, catalog: NewCatalog): QueryConfig {
  return {
    text: `insert into tenure.plan_catalog (generation, position, hash, catalog, default_snapshot, published_at)
     values ($1, $2, $3, $4, $5, $6)`,
    values: [
      generation,
      catalog.position,
      catalog.hash,
      catalog.catalog,
      catalog.defaultSnapshot,
      instant(catalog.publishedAt),
    ],
  };
}

/** SQL for the character between the texts of a `jsonColumn`. */
const SEPARATOR = "E'\\x01'";

/**
 * The JSON texts of a column for `string_to_array`: an array literal takes several times as long to quote and to parse.
 * JSON escapes every control character, so the separator is in none of the texts.
 */
function jsonColumn<T>(rows: readonly T[], pick: (row: T) => unknown): string {
  return textColumn(rows, (row) => JSON.stringify(pick(row)));
}

/** As `jsonColumn`, of texts that are JSON already. */
function textColumn<T>(rows: readonly T[], pick: (row: T) => string): string {
  return rows.map(pick).join('\u0001');
}

/** Unix milliseconds as a text every session reads as UTC. */
function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
