import { EntitySchema } from 'typeorm';
import { bigint, idText, instant, int, keyOf, nullable, SCHEMA, text } from '../../../database/columns.js';

/**
 * One fold of the log into partitions of its own. `building` was never served, `served` is or was, `scratch` is there to
 * be compared and thrown away; the row of one that is `dropped` stays, so that its number is not used again.
 */
export interface ProjectionGenerationRow {
  readonly generation: number;
  readonly state: 'building' | 'served' | 'scratch' | 'dropping' | 'dropped' | 'replaced';
  readonly startedBy: string;
  readonly reason: string;
  readonly startedAt: Date;
}

export const ProjectionGenerationEntity = new EntitySchema<ProjectionGenerationRow>({
  name: 'ProjectionGeneration',
  schema: SCHEMA,
  tableName: 'projection_generation',
  columns: {
    generation: keyOf('projection_generation', int()),
    state: text(),
    startedBy: text('started_by'),
    reason: text(),
    startedAt: instant('started_at'),
  },
  indices: [
    {
      name: 'projection_generation_building_idx',
      columns: ['state'],
      unique: true,
      where: "(state = 'building'::text)",
    },
  ],
  checks: [
    {
      name: 'projection_generation_state_check',
      expression: "state in ('building', 'served', 'scratch', 'dropping', 'dropped', 'replaced')",
    },
  ],
});

/**
 * What is to be done with a build once it is level; nothing for builds that somebody waits for. `id` is what it was asked for
 * under, so that a repeat finds it; `outcome` is what came of
 * it, `report` (JSON) what was compared, `failureCode` and `failureMessage` why it cannot be done.
 */
export interface RebuildOrderRow {
  readonly generation: number;
  readonly afterwards: 'swap' | 'keep' | 'drop';
  readonly outcome: 'swapped' | 'kept' | 'dropped' | 'failed' | null;
  readonly finishedAt: Date | null;
  readonly report: string | null;
  readonly failureCode: string | null;
  readonly failureMessage: string | null;
  readonly id: string | null;
}

export const RebuildOrderEntity = new EntitySchema<RebuildOrderRow>({
  name: 'RebuildOrder',
  schema: SCHEMA,
  tableName: 'rebuild_order',
  columns: {
    generation: keyOf('rebuild_order', int()),
    afterwards: text(),
    outcome: nullable(text()),
    finishedAt: nullable(instant('finished_at')),
    report: nullable(text()),
    failureCode: nullable(text('failure_code')),
    failureMessage: nullable(text('failure_message')),
    id: nullable({ type: 'uuid' }),
  },
  indices: [{ name: 'rebuild_order_id_idx', columns: ['id'], unique: true }],
  checks: [
    { name: 'rebuild_order_afterwards_check', expression: "afterwards in ('swap', 'keep', 'drop')" },
    {
      name: 'rebuild_order_outcome_check',
      expression: "outcome in ('swapped', 'kept', 'dropped', 'failed')",
    },
  ],
});

/** A move of the pointer: which way, at which event (decimal string), who did it and why. */
export interface GenerationSwapRow {
  readonly swap: number;
  readonly kind: 'swap' | 'rollback' | 'adoption';
  readonly fromGeneration: number;
  readonly toGeneration: number;
  readonly position: string | null;
  readonly fromCode: string;
  readonly toCode: string;
  readonly usersChanged: number;
  readonly actor: string;
  readonly reason: string;
  readonly swappedAt: Date;
}

export const GenerationSwapEntity = new EntitySchema<GenerationSwapRow>({
  name: 'GenerationSwap',
  schema: SCHEMA,
  tableName: 'generation_swap',
  columns: {
    swap: keyOf('generation_swap', int()),
    kind: text(),
    fromGeneration: int('from_generation'),
    toGeneration: int('to_generation'),
    position: nullable(bigint()),
    fromCode: text('from_code'),
    toCode: text('to_code'),
    usersChanged: int('users_changed'),
    actor: text(),
    reason: text(),
    swappedAt: instant('swapped_at'),
  },
  checks: [{ name: 'generation_swap_kind_check', expression: "kind in ('swap', 'rollback', 'adoption')" }],
});

/** A user whose version offset a swap set; `changed` when what was served changed with it. */
export interface SwapUserRow {
  readonly swap: number;
  readonly userId: string;
  readonly offsetBefore: number;
  readonly offsetAfter: number;
  readonly changed: boolean;
}

export const SwapUserEntity = new EntitySchema<SwapUserRow>({
  name: 'SwapUser',
  schema: SCHEMA,
  tableName: 'swap_user',
  columns: {
    swap: keyOf('swap_user', int()),
    userId: keyOf('swap_user', idText('user_id')),
    offsetBefore: int('offset_before'),
    offsetAfter: int('offset_after'),
    changed: { type: 'boolean' },
  },
});

/** A history row of the generation that a swap replaced, where the new one has none like it; kept for ever. */
export interface SwapHistoryRow {
  readonly swap: number;
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
  readonly lateAt: string | null;
}

export const SwapHistoryEntity = new EntitySchema<SwapHistoryRow>({
  name: 'SwapHistory',
  schema: SCHEMA,
  tableName: 'swap_history',
  columns: {
    swap: keyOf('swap_history', int()),
    userId: keyOf('swap_history', idText('user_id')),
    seq: keyOf('swap_history', int()),
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
});

/** What is known of generations and of the swaps between them. */
export const GENERATION_ENTITIES = [
  ProjectionGenerationEntity,
  RebuildOrderEntity,
  GenerationSwapEntity,
  SwapUserEntity,
  SwapHistoryEntity,
];
