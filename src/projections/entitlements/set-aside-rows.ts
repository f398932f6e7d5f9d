import type { QueryConfig } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import type { Queries } from './fact-queries.js';
import { type Subject, subjectSchema } from './set-aside-subject.js';

/** An event that failed: where it is, and why. */
export interface FailedEvent {
  readonly position: Position;
  readonly eventId: string;
  readonly eventType: string;
  readonly code: string;
  readonly message: string;
}

/**
 * A stream whose events are set aside from `position` and `revision` on, since the instant `since` (Unix ms); `waiting` counts
 * them. `claims` are users whom these events name, `users` all whose it is. `triedBy`: the code that failed; `null` when
 * it is to be tried again. `lateAt`: the last event folded when some of them were folded on.
 */
export interface AsideStream extends FailedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly since: number;
  readonly waiting: number;
  readonly lastPosition: Position;
  readonly subject: Subject;
  readonly claims: readonly string[];
  readonly users: readonly string[];
  readonly triedBy: string | null;
  readonly lateAt: Position | null;
}

/** What a user is marked with in every answer: the first event that is missing, and since when (Unix ms). */
export interface Mark {
  readonly position: Position;
  readonly since: number;
}

/** What a user is marked with from the fold's time (Unix ms) on; `null`: with nothing any more. */
export interface ServedMark {
  readonly userId: string;
  readonly mark: Mark | null;
  readonly at: number;
}

const ownFaultSchema = z.strictObject({
  position: z.string(),
  since: z.number(),
  eventId: z.string(),
  eventType: z.string(),
  code: z.string(),
  message: z.string(),
  stage: z.enum(['judge', 'write']),
});
/** A user who cannot be judged or written, whatever is set aside: since the event that said so first. */
export type OwnFault = z.infer<typeof ownFaultSchema>;

/** A user's row: `mark` and `own` are `null` for one that is kept for `lateAt` alone. */
export interface FaultedUser {
  readonly mark: Mark | null;
  readonly own: OwnFault | null;
  readonly triedBy: string | null;
}

/** What a batch changes: streams (`null`: folded on to their end), users, and who was touched by what was folded on late. */
export interface SetAsideChanges {
  readonly streams: Map<string, AsideStream | null>;
  readonly users: Map<string, FaultedUser>;
  readonly late: Map<string, Position>;
  /** Every change of what a user is marked with, in order. */
  readonly marks: ServedMark[];
}

/** The changes of a batch that sets nothing aside. */
export function noSetAsideChanges(): SetAsideChanges {
  return { streams: new Map(), users: new Map(), late: new Map(), marks: [] };
}

const texts = z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text)));
const streamRow = z.object({
  stream: z.string(),
  position: z.string(),
  revision: z.number(),
  event_id: z.string(),
  event_type: z.string(),
  code: z.string(),
  message: z.string(),
  since: z.date(),
  waiting: z.number(),
  last_position: z.string(),
  subject: z.string().transform((text) => subjectSchema.parse(JSON.parse(text))),
  claims: texts,
  users: texts,
  tried_by: z.string().nullable(),
  late_at: z.string().nullable(),
});
const userRow = z.object({
  user_id: z.string(),
  position: z.string(),
  since: z.date(),
  own: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : ownFaultSchema.parse(JSON.parse(text)))),
  tried_by: z.string().nullable(),
});

/** Every stream that is set aside in a generation, and every user who is marked. */
export async function readSetAside(
  queries: Queries,
  generation: number,
): Promise<{ readonly streams: readonly AsideStream[]; readonly users: ReadonlyMap<string, FaultedUser> }> {
  const [streams, users] = await Promise.all([
    queries.query(
      `select stream, position::text, revision, event_id, event_type, code, message, since, waiting,
         last_position::text, subject, claims, users, tried_by, late_at::text
       from tenure.set_aside_stream where generation = $1`,
      [generation],
    ),
    queries.query(
      `select user_id, position::text, since, own, tried_by from tenure.faulted_user
       where generation = $1 and position is not null`,
      [generation],
    ),
  ]);
  return {
    streams: z.array(streamRow).parse(streams.rows).map(toStream),
    users: new Map(
      z
        .array(userRow)
        .parse(users.rows)
        .map(({ user_id: userId, position, since, own, tried_by: triedBy }) => [
          userId,
          { mark: { position, since: since.getTime() }, own, triedBy },
        ]),
    ),
  };
}

function toStream(row: z.infer<typeof streamRow>): AsideStream {
  const { event_id: eventId, event_type: eventType, last_position: lastPosition, ...rest } = row;
  const { tried_by: triedBy, late_at: lateAt, since, ...same } = rest;
  return { ...same, since: since.getTime(), lastPosition, triedBy, lateAt, eventId, eventType };
}

/** Statements that write what a batch set aside, marked, or folded on late. */
export function setAsideStatements(generation: number, changes: SetAsideChanges): (() => QueryConfig)[] {
  const streams = [...changes.streams.values()].filter((stream) => stream !== null);
  const ended = [...changes.streams].filter(([, stream]) => stream === null).map(([name]) => name);
  return [
    ...(streams.length > 0 ? [() => streamsStatement(generation, streams)] : []),
    ...(ended.length > 0 ? [() => endedStatement(generation, ended)] : []),
    ...(changes.users.size > 0 ? [() => usersStatement(generation, changes)] : []),
    ...(changes.late.size > 0 ? [() => lateStatement(generation, changes)] : []),
    ...(changes.users.size > 0 ? [() => unmarkedStatement(generation, changes)] : []),
  ];
}

function streamsStatement(generation: number, streams: readonly AsideStream[]): QueryConfig {
  return {
    text: `insert into tenure.set_aside_stream (generation, stream, position, revision, event_id, event_type, code,
             message, since, waiting, last_position, subject, claims, users, tried_by, late_at)
           select $1, * from unnest($2::text[], $3::bigint[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[],
             $9::timestamptz[], $10::int[], $11::bigint[], $12::text[], $13::text[], $14::text[], $15::text[],
             $16::bigint[])
           on conflict (generation, stream) do update
           set position = excluded.position, revision = excluded.revision, event_id = excluded.event_id,
             event_type = excluded.event_type, code = excluded.code, message = excluded.message,
             since = excluded.since, waiting = excluded.waiting, last_position = excluded.last_position,
             subject = excluded.subject, claims = excluded.claims, users = excluded.users,
             tried_by = excluded.tried_by, late_at = excluded.late_at`,
    values: [
      generation,
      streams.map(({ stream }) => stream),
      streams.map(({ position }) => position),
      streams.map(({ revision }) => revision),
      streams.map(({ eventId }) => eventId),
      streams.map(({ eventType }) => eventType),
      streams.map(({ code }) => code),
      streams.map(({ message }) => message),
      streams.map(({ since }) => new Date(since).toISOString()),
      streams.map(({ waiting }) => waiting),
      streams.map(({ lastPosition }) => lastPosition),
      streams.map(({ subject }) => JSON.stringify(subject)),
      streams.map(({ claims }) => JSON.stringify(claims)),
      streams.map(({ users }) => JSON.stringify(users)),
      streams.map(({ triedBy }) => triedBy),
      streams.map(({ lateAt }) => lateAt),
    ],
  };
}

function endedStatement(generation: number, streams: readonly string[]): QueryConfig {
  return {
    text: 'delete from tenure.set_aside_stream where generation = $1 and stream = any($2)',
    values: [generation, streams],
  };
}

function usersStatement(generation: number, { users }: SetAsideChanges): QueryConfig {
  const rows = [...users];
  return {
    text: `insert into tenure.faulted_user (generation, user_id, position, since, own, tried_by)
           select $1, * from unnest($2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[])
           on conflict (generation, user_id) do update
           set position = excluded.position, since = excluded.since, own = excluded.own, tried_by = excluded.tried_by`,
    values: [
      generation,
      rows.map(([userId]) => userId),
      rows.map(([, { mark }]) => mark?.position ?? null),
      rows.map(([, { mark }]) => (mark === null ? null : new Date(mark.since).toISOString())),
      rows.map(([, { own }]) => (own === null ? null : JSON.stringify(ownFaultSchema.parse(own)))),
      rows.map(([, { triedBy }]) => triedBy),
    ],
  };
}

function lateStatement(generation: number, { late }: SetAsideChanges): QueryConfig {
  return {
    text: `insert into tenure.faulted_user (generation, user_id, late_at)
           select $1, * from unnest($2::text[], $3::bigint[])
           on conflict (generation, user_id) do update set late_at = excluded.late_at`,
    values: [generation, [...late.keys()], [...late.values()]],
  };
}

/** Who is not marked any more, and was touched by nothing late, has no row. */
function unmarkedStatement(generation: number, { users }: SetAsideChanges): QueryConfig {
  return {
    text: `delete from tenure.faulted_user
           where generation = $1 and user_id = any($2) and position is null and late_at is null`,
    values: [generation, [...users.keys()]],
  };
}
