import type { QueryConfig } from 'pg';
import type { KeptPayment } from './kept-rows.js';
import { isTrouble, warningsToAct } from './payment-facts.js';
import { arrayColumn, jsonColumn, SEPARATOR } from './statement-values.js';

/** Two things that were named together, by kind and id; what is found from one side alone has one row. */
export interface PaymentJoin {
  readonly kind: 'payment' | 'invoice' | 'subscription' | 'session';
  readonly id: string;
  readonly otherKind: 'payment' | 'invoice' | 'session' | 'subscription';
  readonly other: string;
}

/** What a batch changes of payments. */
export interface PaymentRows {
  readonly rows: Set<KeptPayment>;
  readonly joins: PaymentJoin[];
}

/** The changes of a batch that has none. */
export function noPaymentRows(): PaymentRows {
  return { rows: new Set(), joins: [] };
}

/** Statements that write them; joins that are there already stay. */
export function paymentStatements(
  generation: number,
  { rows, joins }: PaymentRows,
): readonly (() => QueryConfig)[] {
  return [
    ...(rows.size > 0 ? [() => paymentsStatement(generation, [...rows])] : []),
    ...(joins.length > 0 ? [() => joinsStatement(generation, joins)] : []),
  ];
}

function paymentsStatement(generation: number, rows: readonly KeptPayment[]): QueryConfig {
  return {
    name: 'tenure-write-payments',
    text: `insert into tenure.payment (generation, payment, joined, warned, facts)
           select $1, * from unnest($2::text[], $3::bool[], $4::bool[], string_to_array($5, ${SEPARATOR}))
           on conflict (generation, payment) do update
           set joined = excluded.joined, warned = excluded.warned, facts = excluded.facts`,
    values: [
      generation,
      arrayColumn(rows, (row) => row.payment),
      // Of a payment of which nothing was refunded or disputed nobody needs to know what it is of.
      arrayColumn(rows, (row) => row.isJoined || !row.observations.some(isTrouble)),
      arrayColumn(rows, (row) => warningsToAct(row.observations).length > 0),
      jsonColumn(rows, (row) => row.observations),
    ],
  };
}

function joinsStatement(generation: number, joins: readonly PaymentJoin[]): QueryConfig {
  return {
    name: 'tenure-write-payment-joins',
    text: `insert into tenure.payment_join (generation, kind, id, other_kind, other)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[]) on conflict do nothing`,
    values: [
      generation,
      arrayColumn(joins, ({ kind }) => kind),
      arrayColumn(joins, ({ id }) => id),
      arrayColumn(joins, ({ otherKind }) => otherKind),
      arrayColumn(joins, ({ other }) => other),
    ],
  };
}
