import type { QueryConfig } from 'pg';
import type { SetAsideChanges } from './set-aside.js';

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

type Stream = Exclude<SetAsideChanges['streams'] extends Map<string, infer S> ? S : never, null>;

function streamsStatement(generation: number, streams: readonly Stream[]): QueryConfig {
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
      rows.map(([, { own }]) => (own === null ? null : JSON.stringify(own))),
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
