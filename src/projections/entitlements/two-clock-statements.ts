import type { QueryConfig } from 'pg';
import type { LogicalTime } from './logical-times.js';
import { arrayColumn } from './statement-values.js';
import type { SubscriptionCustomer, UserStream } from './user-streams.js';

/** What a batch adds to what questions as of a moment are answered by (DESIGN 9, "Two clocks"). */
export interface TwoClockRows {
  readonly userStreams: UserStream[];
  readonly customers: SubscriptionCustomer[];
  readonly times: LogicalTime[];
}

/** The additions of a batch that has none. */
export function noTwoClockRows(): TwoClockRows {
  return { userStreams: [], customers: [], times: [] };
}

/** Statements that add them; what is there already stays as it is. */
export function twoClockStatements(
  generation: number,
  { userStreams, customers, times }: TwoClockRows,
): readonly (() => QueryConfig)[] {
  return [
    ...(userStreams.length > 0 ? [() => userStreamsStatement(generation, userStreams)] : []),
    ...(customers.length > 0 ? [() => customersStatement(generation, customers)] : []),
    ...(times.length > 0 ? [() => timesStatement(generation, times)] : []),
  ];
}

function userStreamsStatement(generation: number, rows: readonly UserStream[]): QueryConfig {
  return {
    name: 'tenure-write-user-streams',
    text: `insert into tenure.user_stream (generation, user_id, category, id)
           select $1, * from unnest($2::text[], $3::text[], $4::text[]) on conflict do nothing`,
    values: [
      generation,
      arrayColumn(rows, ({ userId }) => userId),
      arrayColumn(rows, ({ category }) => category),
      arrayColumn(rows, ({ id }) => id),
    ],
  };
}

function customersStatement(generation: number, rows: readonly SubscriptionCustomer[]): QueryConfig {
  return {
    name: 'tenure-write-subscription-customers',
    text: `insert into tenure.subscription_customer (generation, subscription, customer)
           select $1, * from unnest($2::text[], $3::text[]) on conflict do nothing`,
    values: [
      generation,
      arrayColumn(rows, ({ subscription }) => subscription),
      arrayColumn(rows, ({ customer }) => customer),
    ],
  };
}

/** Adds times of a fold. */
export function timesStatement(generation: number, rows: readonly LogicalTime[]): QueryConfig {
  return {
    name: 'tenure-write-logical-times',
    text: `insert into tenure.logical_time (generation, position, now_ms)
           select $1, * from unnest($2::bigint[], $3::bigint[])`,
    values: [generation, arrayColumn(rows, ({ position }) => position), arrayColumn(rows, ({ now }) => now)],
  };
}
