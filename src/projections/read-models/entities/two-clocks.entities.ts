import { EntitySchema } from 'typeorm';
import {
  bigint,
  flag,
  idText,
  instant,
  int,
  keyOf,
  nullable,
  SCHEMA,
  text,
} from '../../../database/columns.js';

/** A stream of which an event named a user. */
export interface UserStreamRow {
  readonly generation: number;
  readonly userId: string;
  readonly category: 'subscription' | 'customer' | 'checkout';
  readonly id: string;
}

export const UserStreamEntity = new EntitySchema<UserStreamRow>({
  name: 'UserStream',
  schema: SCHEMA,
  tableName: 'user_stream',
  columns: {
    generation: keyOf('user_stream', int()),
    userId: keyOf('user_stream', idText('user_id')),
    category: keyOf('user_stream', idText()),
    id: keyOf('user_stream', idText()),
  },
});

/** A customer that a subscription was said to be of, besides the one that its row names. */
export interface SubscriptionCustomerRow {
  readonly generation: number;
  readonly subscription: string;
  readonly customer: string;
}

export const SubscriptionCustomerEntity = new EntitySchema<SubscriptionCustomerRow>({
  name: 'SubscriptionCustomer',
  schema: SCHEMA,
  tableName: 'subscription_customer',
  columns: {
    generation: keyOf('subscription_customer', int()),
    subscription: keyOf('subscription_customer', idText()),
    customer: keyOf('subscription_customer', idText()),
  },
  indices: [{ name: 'subscription_customer_generation_customer_idx', columns: ['generation', 'customer'] }],
});

/** The fold's time (Unix ms, a decimal string) at the event of a position, at some of them. */
export interface LogicalTimeRow {
  readonly generation: number;
  readonly position: string;
  readonly nowMs: string;
}

export const LogicalTimeEntity = new EntitySchema<LogicalTimeRow>({
  name: 'LogicalTime',
  schema: SCHEMA,
  tableName: 'logical_time',
  columns: {
    generation: keyOf('logical_time', int()),
    position: keyOf('logical_time', bigint()),
    nowMs: bigint('now_ms'),
  },
  indices: [
    {
      name: 'logical_time_generation_now_ms_position_idx',
      columns: ['generation', 'nowMs', 'position'],
    },
  ],
});

/**
 * What was served of a user from `knownFrom` on, outside of generations; of rows of one user the greater `ordinal` is the
 * later. The empty user stands for whoever has no row. Without a snapshot: the user has no row any more. `bySwap`: no event
 * wrote it, but a move to another generation.
 */
export interface ServedEntitlementRow {
  readonly userId: string;
  readonly ordinal: string;
  readonly knownFrom: Date;
  readonly snapshot: string | null;
  readonly successors: string | null;
  readonly counter: number;
  readonly versionOffset: number;
  readonly position: string | null;
  readonly changedAt: Date | null;
  readonly bySwap: boolean;
}

/** Numbers of their own, which rows that come back from a backup bring with them. */
const ordinal = { ...bigint(), generated: 'increment' } as const;

export const ServedEntitlementEntity = new EntitySchema<ServedEntitlementRow>({
  name: 'ServedEntitlement',
  schema: SCHEMA,
  tableName: 'served_entitlement',
  columns: {
    userId: keyOf('served_entitlement', idText('user_id')),
    ordinal: keyOf('served_entitlement', ordinal),
    knownFrom: instant('known_from'),
    snapshot: nullable(text()),
    successors: nullable(text()),
    counter: int(),
    versionOffset: int('version_offset'),
    position: nullable(bigint()),
    changedAt: nullable(instant('changed_at')),
    bySwap: flag('by_swap'),
  },
  indices: [{ name: 'served_entitlement_ordinal_idx', columns: ['ordinal'] }],
});

/** What a user was marked with from `knownFrom` on; without a position: with nothing any more. */
export interface ServedMarkRow {
  readonly userId: string;
  readonly ordinal: string;
  readonly knownFrom: Date;
  readonly position: string | null;
  readonly since: Date | null;
}

export const ServedMarkEntity = new EntitySchema<ServedMarkRow>({
  name: 'ServedMark',
  schema: SCHEMA,
  tableName: 'served_mark',
  columns: {
    userId: keyOf('served_mark', idText('user_id')),
    ordinal: keyOf('served_mark', ordinal),
    knownFrom: instant('known_from'),
    position: nullable(bigint()),
    since: nullable(instant()),
  },
});

/** What questions as of a moment are answered by. */
export const TWO_CLOCK_ENTITIES = [
  UserStreamEntity,
  SubscriptionCustomerEntity,
  LogicalTimeEntity,
  ServedEntitlementEntity,
  ServedMarkEntity,
];
