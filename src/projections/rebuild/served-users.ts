import type { PoolClient } from 'pg';
import { z } from 'zod';
import type { Entitlement } from '../../policy/entitlement.js';
import type { Timeline } from '../entitlements/served-version.js';
import { entitlementSchema, parseSnapshotTexts } from '../entitlements/user-row.js';

const lastRow = z.object({ hash: z.string(), default_snapshot: z.string(), users: z.number() }).optional();
const servedRow = z.object({
  user_id: z.string(),
  snapshot: z.string(),
  successors: z.string(),
  counter: z.number(),
  version_offset: z.number(),
});

/** The catalogue published last in a generation, and how many users it has; `null` before the first. */
export async function readLastCatalog(
  client: PoolClient,
  generation: number,
): Promise<{ readonly hash: string; readonly byDefault: Entitlement; readonly users: number } | null> {
  const { rows } = await client.query(
    `select hash, default_snapshot,
       (select count(*)::int from tenure.user_role where generation = $1) as users
     from tenure.plan_catalog where generation = $1 order by position desc limit 1`,
    [generation],
  );
  const found = lastRow.parse(rows[0]);
  if (found === undefined) return null;
  const byDefault = entitlementSchema.parse(JSON.parse(found.default_snapshot));
  return { hash: found.hash, byDefault, users: found.users };
}

/** Users as they are read now, and what their versions are served with. */
export async function readServedUsers(
  client: PoolClient,
  generation: number,
  users: readonly string[],
  byDefault: Entitlement,
): Promise<ReadonlyMap<string, { readonly row: Timeline; readonly offset: number }>> {
  const { rows } = await client.query(
    `select user_id, snapshot, successors, counter, coalesce(version_offset, 0) as version_offset
     from tenure.user_role left join tenure.revocation_offset using (user_id)
     where generation = $1 and user_id = any($2)`,
    [generation, users],
  );
  return new Map(
    z
      .array(servedRow)
      .parse(rows)
      .map(({ user_id: userId, snapshot, successors, counter, version_offset: offset }) => [
        userId,
        {
          row: {
            ...(parseSnapshotTexts(snapshot, successors) ?? { entitlement: byDefault, successors: [] }),
            counter,
            changedAt: null,
          },
          offset,
        },
      ]),
  );
}
