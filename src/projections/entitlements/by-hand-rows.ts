import type { QueryConfig } from 'pg';
import { z } from 'zod';
import { grantIssuedSchema, grantRevokedSchema } from '../../events/grant.events.js';
import { overrideRemovedSchema, overrideSetSchema } from '../../events/override.events.js';
import type { GrantFacts, OverrideFacts } from '../../policy/facts.js';
import { namesOfGrant } from '../../policy/grants.js';
import { jsonColumn, SEPARATOR } from './statement-values.js';

function saidByHand<Data extends z.ZodType>(data: Data) {
  return z.strictObject({ eventId: z.string(), recordedAt: z.number(), data });
}

/** Texts of the rows, as written by this projection; keys in the order of the fact. */
export const grantText = z.strictObject({
  grant: z.string(),
  issued: saidByHand(grantIssuedSchema),
  revoked: saidByHand(grantRevokedSchema).nullable(),
});
export const overrideText = z.strictObject({
  key: z.string(),
  kind: z.enum(['feature', 'limit']),
  set: saidByHand(overrideSetSchema),
  removed: saidByHand(overrideRemovedSchema).nullable(),
});

/** A fact with the user whose it is. */
export interface OfUser<Facts> {
  readonly userId: string;
  readonly facts: Facts;
}

/** What a batch changes of what users have by hand: grants by id, overrides by user, kind and key. */
export interface ByHandRows {
  readonly grants: Map<string, OfUser<GrantFacts>>;
  readonly overrides: Map<string, OfUser<OverrideFacts>>;
}

/** The changes of a batch that has none. */
export function noByHandRows(): ByHandRows {
  return { grants: new Map(), overrides: new Map() };
}

/** Statements that write them. */
export function byHandStatements(
  generation: number,
  { grants, overrides }: ByHandRows,
): readonly (() => QueryConfig)[] {
  return [
    ...(grants.size > 0 ? [() => grantsStatement(generation, [...grants.values()])] : []),
    ...(overrides.size > 0 ? [() => overridesStatement(generation, [...overrides.values()])] : []),
  ];
}

function grantsStatement(generation: number, rows: readonly OfUser<GrantFacts>[]): QueryConfig {
  return {
    name: 'tenure-write-grants',
    text: `insert into tenure.grant (generation, grant_id, user_id, names, ends_at, revoked, facts)
           select $1, * from unnest($2::text[], $3::text[], string_to_array($4, ${SEPARATOR}), $5::timestamptz[],
             $6::bool[], string_to_array($7, ${SEPARATOR}))
           on conflict (generation, grant_id) do update
           set user_id = excluded.user_id, names = excluded.names, ends_at = excluded.ends_at,
             revoked = excluded.revoked, facts = excluded.facts`,
    values: [
      generation,
      rows.map(({ facts }) => facts.grant),
      rows.map(({ userId }) => userId),
      jsonColumn(rows, ({ facts }) => namesOfGrant(facts)),
      rows.map(({ facts }) => facts.issued.data.expiresAt),
      rows.map(({ facts }) => facts.revoked !== null),
      jsonColumn(rows, ({ facts }) => facts),
    ],
  };
}

function overridesStatement(generation: number, rows: readonly OfUser<OverrideFacts>[]): QueryConfig {
  return {
    name: 'tenure-write-overrides',
    text: `insert into tenure.override (generation, user_id, kind, key, ends_at, removed, facts)
           select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bool[],
             string_to_array($7, ${SEPARATOR}))
           on conflict (generation, user_id, kind, key) do update
           set ends_at = excluded.ends_at, removed = excluded.removed, facts = excluded.facts`,
    values: [
      generation,
      rows.map(({ userId }) => userId),
      rows.map(({ facts }) => facts.kind),
      rows.map(({ facts }) => facts.key),
      rows.map(({ facts }) => facts.set.data.expiresAt),
      rows.map(({ facts }) => facts.removed !== null),
      jsonColumn(rows, ({ facts }) => facts),
    ],
  };
}
