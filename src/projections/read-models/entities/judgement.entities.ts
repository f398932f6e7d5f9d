import { EntitySchema } from 'typeorm';
import { bigint, idText, instant, int, keyOf, nullable, SCHEMA, text } from '../../../database/columns.js';

/** What a user may do: the snapshot and what it becomes with time alone, both JSON. `position` is a decimal string. */
export interface UserRoleRow {
  readonly generation: number;
  readonly userId: string;
  readonly role: string;
  readonly plan: string;
  readonly status: string;
  readonly snapshot: string;
  readonly successors: string;
  readonly nextAt: Date | null;
  readonly counter: number;
  readonly position: string | null;
  readonly changedAt: Date | null;
  readonly historySeq: number;
  /** Position of the catalogue that it was last judged by, a decimal string. */
  readonly catalog: string;
  /** JSON of `AdoptedPrice`s. */
  readonly adoptedPrices: string;
}

export const UserRoleEntity = new EntitySchema<UserRoleRow>({
  name: 'UserRole',
  schema: SCHEMA,
  tableName: 'user_role',
  columns: {
    generation: keyOf('user_role', int()),
    userId: keyOf('user_role', idText('user_id')),
    role: text(),
    plan: text(),
    status: text(),
    snapshot: text(),
    successors: text(),
    nextAt: nullable(instant('next_at')),
    counter: int(),
    position: nullable(bigint()),
    changedAt: nullable(instant('changed_at')),
    historySeq: int('history_seq'),
    catalog: { ...bigint(), default: 0 },
    adoptedPrices: { ...text('adopted_prices'), default: '[]' },
  },
  indices: [
    {
      name: 'user_role_generation_next_at_user_id_idx',
      columns: ['generation', 'nextAt', 'userId'],
      where: '(next_at IS NOT NULL)',
    },
    { name: 'user_role_generation_role_user_id_idx', columns: ['generation', 'role', 'userId'] },
    { name: 'user_role_generation_plan_user_id_idx', columns: ['generation', 'plan', 'userId'] },
    { name: 'user_role_generation_status_user_id_idx', columns: ['generation', 'status', 'userId'] },
    {
      name: 'user_role_unmapped_idx',
      columns: ['generation', 'userId'],
      where: `(strpos(snapshot, '"unmappedPrices":[]'::text) = 0)`,
    },
    {
      name: 'user_role_pending_idx',
      columns: ['generation', 'userId'],
      where: `(strpos(snapshot, '"pendingPayment":null'::text) = 0)`,
    },
    {
      name: 'user_role_adopted_idx',
      columns: ['generation', 'userId'],
      where: "(adopted_prices <> '[]'::text)",
    },
  ],
});

/** The counter of a user's revocation version in one generation. */
export interface RevocationVersionRow {
  readonly generation: number;
  readonly userId: string;
  readonly counter: number;
  readonly raisedAt: Date;
}

export const RevocationVersionEntity = new EntitySchema<RevocationVersionRow>({
  name: 'RevocationVersion',
  schema: SCHEMA,
  tableName: 'revocation_version',
  columns: {
    generation: keyOf('revocation_version', int()),
    userId: keyOf('revocation_version', idText('user_id')),
    counter: int(),
    raisedAt: instant('raised_at'),
  },
});

/** A snapshot (JSON) that was in force from `validFrom`, and the event that made it so; changes by time alone have none. */
export interface EntitlementHistoryRow {
  readonly generation: number;
  readonly userId: string;
  readonly seq: number;
  readonly validFrom: Date;
  readonly cause: 'event' | 'time';
  readonly eventId: string | null;
  readonly eventType: string | null;
  readonly position: string | null;
  readonly changedAt: Date;
  readonly counter: number;
  readonly snapshot: string;
  /** Last event folded when the event was folded on, late. */
  readonly lateAt: string | null;
}

export const EntitlementHistoryEntity = new EntitySchema<EntitlementHistoryRow>({
  name: 'EntitlementHistory',
  schema: SCHEMA,
  tableName: 'entitlement_history',
  columns: {
    generation: keyOf('entitlement_history', int()),
    userId: keyOf('entitlement_history', idText('user_id')),
    seq: keyOf('entitlement_history', int()),
    validFrom: instant('valid_from'),
    cause: text(),
    eventId: nullable({ type: 'uuid', name: 'event_id' }),
    eventType: nullable(text('event_type')),
    position: nullable(bigint()),
    changedAt: instant('changed_at'),
    counter: int(),
    snapshot: text(),
    lateAt: nullable(bigint('late_at')),
  },
  checks: [{ name: 'entitlement_history_cause_check', expression: "cause in ('event', 'time')" }],
});

/** What is judged from the facts, by generation. */
export const JUDGEMENT_ENTITIES = [UserRoleEntity, RevocationVersionEntity, EntitlementHistoryEntity];
