import type { QueryConfig } from 'pg';
import type { InvoiceObservation, Observation } from '../../policy/facts.js';
import { isPurchase } from '../../policy/purchases.js';
import type { KeptCheckout, KeptCustomer, KeptSubscription } from './kept-rows.js';
import { arrayColumn, instant, jsonColumn, SEPARATOR, textColumn } from './statement-values.js';
import { type HistoryEntry, textOf, textOfSuccessors, type UserRow } from './user-row.js';
import type { GrownVersion } from './version-offsets.js';

/** A fact of a subscription to be added. */
export interface NewFact {
  readonly subscription: string;
  readonly factId: string;
  readonly kind: 'observation' | 'invoice' | 'link';
  readonly body: Observation | InvoiceObservation | string | null;
}

/** A catalogue that judges from its position on. */
export interface NewCatalog {
  readonly position: string;
  readonly hash: string;
  readonly catalog: string;
  readonly defaultSnapshot: string;
  readonly publishedAt: number;
  /** The fold's time from which it judges, Unix ms. */
  readonly knownFrom: number;
}

/** Adds facts of subscriptions; of one that comes twice the last counts. */
export function factsStatement(generation: number, added: readonly NewFact[]): QueryConfig {
  const last = new Map(added.map((fact) => [`${fact.subscription}\n${fact.factId}`, fact]));
  const facts = [...last.values()];
  return {
    name: 'tenure-write-facts',
    text: `insert into tenure.subscription_fact (generation, subscription, fact_id, kind, body)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], string_to_array($5, ${SEPARATOR}))
           on conflict (generation, subscription, fact_id) do update set body = excluded.body`,
    values: [
      generation,
      arrayColumn(facts, (fact) => fact.subscription),
      arrayColumn(facts, (fact) => fact.factId),
      arrayColumn(facts, (fact) => fact.kind),
      jsonColumn(facts, (fact) => fact.body),
    ],
  };
}

export function subscriptionsStatement(generation: number, rows: readonly KeptSubscription[]): QueryConfig {
  return {
    name: 'tenure-write-subscriptions',
    text: `insert into tenure.subscription (generation, subscription, customer, owner, conflicts, customer_deleted)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bool[])
           on conflict (generation, subscription) do update
           set customer = excluded.customer, owner = excluded.owner, conflicts = excluded.conflicts,
             customer_deleted = excluded.customer_deleted`,
    values: [
      generation,
      arrayColumn(rows, (row) => row.subscription),
      arrayColumn(rows, (row) => row.customer),
      arrayColumn(rows, (row) => row.owner),
      arrayColumn(rows, (row) => row.conflicts),
      arrayColumn(rows, (row) => row.customerDeleted),
    ],
  };
}

export function customersStatement(generation: number, rows: readonly KeptCustomer[]): QueryConfig {
  return {
    name: 'tenure-write-customers',
    text: `insert into tenure.customer (generation, customer, owner, conflicts, facts)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], string_to_array($5, ${SEPARATOR}))
           on conflict (generation, customer) do update
           set owner = excluded.owner, conflicts = excluded.conflicts, facts = excluded.facts`,
    values: [
      generation,
      arrayColumn(rows, (row) => row.customer),
      arrayColumn(rows, (row) => row.word.owner),
      arrayColumn(rows, (row) => row.conflicts),
      jsonColumn(rows, ({ link, observations }) => ({ link, observations })),
    ],
  };
}

export function checkoutsStatement(generation: number, rows: readonly KeptCheckout[]): QueryConfig {
  return {
    name: 'tenure-write-checkouts',
    text: `insert into tenure.checkout (generation, session, customer, subscription, owner, conflicts, purchase, facts)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[],
             string_to_array($8, ${SEPARATOR}))
           on conflict (generation, session) do update
           set customer = excluded.customer, subscription = excluded.subscription, owner = excluded.owner,
             conflicts = excluded.conflicts, purchase = excluded.purchase, facts = excluded.facts`,
    values: [
      generation,
      arrayColumn(rows, (row) => row.session),
      arrayColumn(rows, (row) => row.customer),
      arrayColumn(rows, (row) => row.subscription),
      arrayColumn(rows, (row) => row.owner),
      arrayColumn(rows, (row) => row.conflicts),
      arrayColumn(rows, (row) => isPurchase(row.observations)),
      jsonColumn(rows, ({ link, started, observations }) => ({ link, started, observations })),
    ],
  };
}

export function usersStatement(generation: number, rows: readonly UserRow[]): QueryConfig {
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
      arrayColumn(rows, (row) => row.userId),
      arrayColumn(rows, (row) => row.entitlement.role),
      arrayColumn(rows, (row) => row.entitlement.plan),
      arrayColumn(rows, (row) => row.entitlement.status),
      textColumn(rows, (row) => textOf(row.entitlement)),
      textColumn(rows, (row) => textOfSuccessors(row.successors)),
      arrayColumn(rows, (row) => instant(row.successors[0]?.at ?? null)),
      arrayColumn(rows, (row) => row.counter),
      arrayColumn(rows, (row) => row.position),
      arrayColumn(rows, (row) => instant(row.changedAt)),
      arrayColumn(rows, (row) => row.historySeq),
      arrayColumn(rows, (row) => row.catalog),
      jsonColumn(rows, (row) => row.adoptedPrices),
    ],
  };
}

export function historyStatement(generation: number, history: readonly HistoryEntry[]): QueryConfig {
  const events = history.map(({ cause }) => (cause.kind === 'event' ? cause : null));
  return {
    name: 'tenure-write-history',
    text: `insert into tenure.entitlement_history (generation, user_id, seq, valid_from, changed_at, cause, event_id,
             event_type, position, counter, snapshot, late_at)
           select $1, u, s, v, v, c, e, t, p, n, x, l from unnest($2::text[], $3::int[], $4::timestamptz[], $5::text[],
             $6::uuid[], $7::text[], $8::bigint[], $9::int[], string_to_array($10, ${SEPARATOR}), $11::bigint[])
             as h(u, s, v, c, e, t, p, n, x, l)`,
    values: [
      generation,
      arrayColumn(history, (entry) => entry.userId),
      arrayColumn(history, (entry) => entry.seq),
      arrayColumn(history, (entry) => instant(entry.validFrom)),
      arrayColumn(history, (entry) => entry.cause.kind),
      arrayColumn(events, (event) => event?.eventId ?? null),
      arrayColumn(events, (event) => event?.eventType ?? null),
      arrayColumn(events, (event) => event?.position ?? null),
      arrayColumn(history, (entry) => entry.counter),
      textColumn(history, (entry) => textOf(entry.entitlement)),
      arrayColumn(history, (entry) => entry.lateAt),
    ],
  };
}

/** The counters of users whom history entries raised; of several of one user the last counts. */
export function versionsStatement(generation: number, raises: readonly HistoryEntry[]): QueryConfig {
  const last = [...new Map(raises.map((entry) => [entry.userId, entry])).values()];
  return {
    name: 'tenure-write-versions',
    text: `insert into tenure.revocation_version (generation, user_id, counter, raised_at)
           select $1, * from unnest($2::text[], $3::int[], $4::timestamptz[])
           on conflict (generation, user_id) do update
           set counter = excluded.counter, raised_at = excluded.raised_at`,
    values: [
      generation,
      arrayColumn(last, (entry) => entry.userId),
      arrayColumn(last, (entry) => entry.counter),
      arrayColumn(last, (entry) => instant(entry.validFrom)),
    ],
  };
}

/**
 * Adds a line with a cursor of its own for every raise; the version served is the counter plus the user's offset. Of the
 * generation that is read alone: a build repeats history.
 */
export function feedStatement(raises: readonly GrownVersion[]): QueryConfig {
  return {
    name: 'tenure-write-feed',
    text: `with head as (
             update tenure.revocation_feed_head set cursor = cursor + cardinality($1::text[]) returning cursor
           )
           insert into tenure.revocation_feed (cursor, user_id, version, raised_at)
           select head.cursor - cardinality($1::text[]) + r.n, r.u, r.c + coalesce(o.version_offset, 0), r.at
           from head, unnest($1::text[], $2::int[], $3::timestamptz[]) with ordinality as r(u, c, at, n)
           left join tenure.revocation_offset o on o.user_id = r.u`,
    values: [
      arrayColumn(raises, ({ userId }) => userId),
      arrayColumn(raises, ({ counter }) => counter),
      arrayColumn(raises, ({ at }) => instant(at)),
    ],
  };
}

export function catalogStatement(generation: number, catalog: NewCatalog): QueryConfig {
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
