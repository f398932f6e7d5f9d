import { EntitySchema } from 'typeorm';
import { bigint, idText, instant, int, keyOf, nullable, SCHEMA, text } from '../../../database/columns.js';

/** The generation that is read: one row. `swaps` counts the moves of this pointer. */
export interface LiveGenerationRow {
  readonly id: number;
  readonly generation: number;
  readonly swaps: number;
}

export const LiveGenerationEntity = new EntitySchema<LiveGenerationRow>({
  name: 'LiveGeneration',
  schema: SCHEMA,
  tableName: 'live_generation',
  columns: {
    id: keyOf('live_generation', { type: 'smallint', default: 1 }),
    generation: int(),
    swaps: { ...int(), default: 0 },
  },
  checks: [{ name: 'live_generation_id_check', expression: 'id = 1' }],
});

/** How far a fold of the log came. Positions and counts are decimal strings, `nowMs` Unix milliseconds as one. */
export interface ProjectionCheckpointRow {
  readonly projection: string;
  readonly generation: number;
  readonly handled: string | null;
  readonly scanned: string | null;
  /** JSON of the events that are still written in parts; `null` when there are none. */
  readonly within: string | null;
  readonly nowMs: string;
  readonly revision: string;
  readonly codeVersion: string;
  /** JSON of the event it stopped at and why. */
  readonly fault: string | null;
  /** Version of the code that began this fold. */
  readonly builtBy: string;
  /** Last event before the first one that was folded by other code than that. */
  readonly mixedAfter: string | null;
  /** JSON of whom the last commits changed; `null` before the first. */
  readonly recentChanges: string | null;
  /** Events folded so far. */
  readonly events: string;
  /** Of the event at `handled`; `null` before the first, and since before ids were kept. */
  readonly eventId: string | null;
  /** JSON of how much is set aside, and what counts against the limit. */
  readonly setAside: string | null;
  /** JSON of how far it came beyond `handled` in an order that is not the log's; `null` where it is not. */
  readonly stretch: string | null;
}

export const ProjectionCheckpointEntity = new EntitySchema<ProjectionCheckpointRow>({
  name: 'ProjectionCheckpoint',
  schema: SCHEMA,
  tableName: 'projection_checkpoint',
  columns: {
    projection: keyOf('projection_checkpoint', idText()),
    generation: keyOf('projection_checkpoint', int()),
    handled: nullable(bigint()),
    scanned: nullable(bigint()),
    within: nullable(idText()),
    nowMs: { ...bigint('now_ms'), default: 0 },
    revision: { ...bigint(), default: 0 },
    codeVersion: text('code_version'),
    fault: nullable(text()),
    builtBy: text('built_by'),
    mixedAfter: nullable(bigint('mixed_after')),
    events: { ...bigint(), default: 0 },
    recentChanges: nullable(text('recent_changes')),
    eventId: nullable({ type: 'uuid', name: 'event_id' }),
    setAside: nullable(text('set_aside')),
    stretch: nullable(text()),
  },
});

/** What is added to a user's counter to make the version served; it never goes back. */
export interface RevocationOffsetRow {
  readonly userId: string;
  readonly versionOffset: number;
}

export const RevocationOffsetEntity = new EntitySchema<RevocationOffsetRow>({
  name: 'RevocationOffset',
  schema: SCHEMA,
  tableName: 'revocation_offset',
  columns: {
    userId: keyOf('revocation_offset', idText('user_id')),
    versionOffset: int('version_offset'),
  },
});

/** One raise of a version; `cursor` is a decimal string. */
export interface RevocationFeedRow {
  readonly cursor: string;
  readonly userId: string;
  readonly version: number;
  readonly raisedAt: Date;
  readonly writtenAt: Date;
}

export const RevocationFeedEntity = new EntitySchema<RevocationFeedRow>({
  name: 'RevocationFeed',
  schema: SCHEMA,
  tableName: 'revocation_feed',
  columns: {
    cursor: keyOf('revocation_feed', bigint()),
    userId: idText('user_id'),
    version: int(),
    raisedAt: instant('raised_at'),
    writtenAt: { ...instant('written_at'), default: () => 'clock_timestamp()' },
  },
});

/** The last cursor given out, the epoch and server it is of, and up to which cursor lines were dropped: one row. */
export interface RevocationFeedHeadRow {
  readonly id: number;
  readonly cursor: string;
  /** `null` only in the middle of a restore. */
  readonly epoch: string | null;
  /** `null` until the feed is read. */
  readonly server: string | null;
  readonly dropped: string;
}

export const RevocationFeedHeadEntity = new EntitySchema<RevocationFeedHeadRow>({
  name: 'RevocationFeedHead',
  schema: SCHEMA,
  tableName: 'revocation_feed_head',
  columns: {
    id: keyOf('revocation_feed_head', { type: 'smallint', default: 1 }),
    cursor: bigint(),
    epoch: nullable(text()),
    server: nullable(text()),
    dropped: { ...bigint(), default: 0 },
  },
  checks: [{ name: 'revocation_feed_head_id_check', expression: 'id = 1' }],
});

/** What lies outside generations. */
export const BOOKKEEPING_ENTITIES = [
  LiveGenerationEntity,
  ProjectionCheckpointEntity,
  RevocationOffsetEntity,
  RevocationFeedEntity,
  RevocationFeedHeadEntity,
];
