import { EntitySchema } from 'typeorm';
import { bigint, idText, instant, int, keyOf, nullable, SCHEMA, text } from '../../../database/columns.js';

/**
 * A stream of which events are set aside, from `position` and `revision` on; `waiting` counts them. `subject`, `claims` and
 * `users` (JSON) say what it is about, whom its events name, and whose it is.
 */
export interface SetAsideStreamRow {
  readonly generation: number;
  readonly stream: string;
  readonly position: string;
  readonly revision: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly code: string;
  readonly message: string;
  readonly since: Date;
  readonly waiting: number;
  readonly lastPosition: string;
  readonly subject: string;
  readonly claims: string;
  readonly users: string;
  /** Version of the code that failed; `null` when it is to be tried again. */
  readonly triedBy: string | null;
  readonly lateAt: string | null;
}

export const SetAsideStreamEntity = new EntitySchema<SetAsideStreamRow>({
  name: 'SetAsideStream',
  schema: SCHEMA,
  tableName: 'set_aside_stream',
  columns: {
    generation: keyOf('set_aside_stream', int()),
    stream: keyOf('set_aside_stream', idText()),
    position: bigint(),
    revision: int(),
    eventId: { type: 'uuid', name: 'event_id' },
    eventType: text('event_type'),
    code: text(),
    message: text(),
    since: instant(),
    waiting: int(),
    lastPosition: bigint('last_position'),
    subject: text(),
    claims: text(),
    users: text(),
    triedBy: nullable(text('tried_by')),
    lateAt: nullable(bigint('late_at')),
  },
});

/**
 * A user who is marked (`position`, `since`) because a stream of theirs is set aside or, as `own` (JSON) says, they cannot be
 * judged or written; or whom something touched that was folded on late.
 */
export interface FaultedUserRow {
  readonly generation: number;
  readonly userId: string;
  readonly position: string | null;
  readonly since: Date | null;
  readonly own: string | null;
  readonly triedBy: string | null;
  readonly lateAt: string | null;
}

export const FaultedUserEntity = new EntitySchema<FaultedUserRow>({
  name: 'FaultedUser',
  schema: SCHEMA,
  tableName: 'faulted_user',
  columns: {
    generation: keyOf('faulted_user', int()),
    userId: keyOf('faulted_user', idText('user_id')),
    position: nullable(bigint()),
    since: nullable(instant()),
    own: nullable(text()),
    triedBy: nullable(text('tried_by')),
    lateAt: nullable(bigint('late_at')),
  },
});

/** What is set aside, by generation. */
export const SET_ASIDE_ENTITIES = [SetAsideStreamEntity, FaultedUserEntity];
