import type { Pool } from 'pg';
import { z } from 'zod';
import type { EntitlementStatus } from '../../policy/entitlement.js';
import type { Faulted } from '../entitlements/snapshot.js';
import { parseSnapshotTexts, snapshotAt } from '../entitlements/user-row.js';
import { LIVE } from './live-generation.js';
import type { Listing } from './ops.reader.js';

/** What must be equal for a user to be listed; `null` asks for nothing. */
export interface UserFilter {
  readonly role: string | null;
  readonly plan: string | null;
  readonly status: EntitlementStatus | null;
}

/** A user of a list: the parts of the snapshot that lists show. Times are RFC 3339. */
export interface ListedUser {
  readonly userId: string;
  readonly role: string;
  readonly plan: string;
  readonly status: EntitlementStatus;
  readonly subscriptionActive: boolean;
  readonly expiresAt: string | null;
  readonly cancelAt: string | null;
  readonly validUntil: string | null;
  readonly revocationVersion: number;
  readonly changedAt: string | null;
  readonly faulted?: Faulted;
}

const FILTERED = ['role', 'plan', 'status'] as const;
const COLUMNS = 'u.user_id, u.snapshot, u.successors, u.counter, u.changed_at';

const row = z.object({
  user_id: z.string(),
  snapshot: z.string(),
  successors: z.string(),
  counter: z.number(),
  changed_at: z.date().nullable(),
  version_offset: z.number(),
  fault_position: z.string().nullable(),
  fault_since: z.date().nullable(),
});

/** Lists users of the live generation, by what is served of them: by the clock, also when nobody has written it yet. */
export class UserListReader {
  constructor(
    private readonly pool: Pool,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Up to `limit` users by id, after the id `cursor` (the `next` of the page before). One statement, so one generation at
   * one moment. It is not prepared: the planner must see the values to know which index is the short one.
   */
  async page(filter: UserFilter, cursor: string | null, limit: number): Promise<Listing<ListedUser>> {
    const now = this.now();
    const asked = FILTERED.flatMap((column) => {
      const value = filter[column];
      return value === null ? [] : [{ column, value }];
    });
    const { rows } = await this.pool.query(statementFor(asked.map(({ column }) => column)), [
      cursor ?? '',
      limit,
      new Date(now).toISOString(),
      ...asked.map(({ value }) => value),
    ]);
    const items = z
      .array(row)
      .parse(rows)
      .flatMap((each) => toListed(each, now) ?? []);
    const last = rows.length === limit ? z.object({ user_id: z.string() }).parse(rows.at(-1)) : null;
    return { items, next: last?.user_id ?? null };
  }
}

/**
 * Two lists, each in order and no longer than the page. Of whom nothing is due: along the index of a filter. Of whom a
 * stored successor is due, few at any time, because what is due is written within seconds: by what the last one due says.
 * Parameters: cursor, limit, now, then the value of each filter.
 */
function statementFor(columns: readonly (typeof FILTERED)[number][]): string {
  const where = (of: (column: string) => string): string =>
    columns.map((column, n) => ` and ${of(column)} = $${n + 4}`).join('');
  const page = 'order by u.user_id limit $2';
  return `select p.*, coalesce(o.version_offset, 0) as version_offset,
     f.position::text as fault_position, f.since as fault_since from (
     (select ${COLUMNS} from tenure.user_role u
      where u.generation = ${LIVE} and u.user_id > $1
        and (u.next_at is null or u.next_at > $3::timestamptz)${where((column) => `u.${column}`)} ${page})
     union all
     (select ${COLUMNS} from tenure.user_role u cross join lateral (
        select each.successor->'entitlement' as entitlement
        from json_array_elements(case when position('\\u0000' in u.successors) > 0 then '[]' else u.successors end::json) with ordinality as each(successor, n)
        where (each.successor->>'at')::numeric <= extract(epoch from $3::timestamptz) * 1000
        order by each.n desc limit 1) as due
      where u.generation = ${LIVE} and u.user_id > $1
        and u.next_at <= $3::timestamptz${where((column) => `due.entitlement->>'${column}'`)} ${page})
   ) as p left join tenure.revocation_offset o using (user_id)
   left join tenure.faulted_user f
     on f.generation = ${LIVE} and f.user_id = p.user_id
       and f.position is not null
   order by p.user_id limit $2`;
}

/** `null` of a row that cannot be read back: it must not take the others with it. */
function toListed(found: z.infer<typeof row>, now: number): ListedUser | null {
  const texts = parseSnapshotTexts(found.snapshot, found.successors);
  if (texts === null) return null;
  const { fault_position: position, fault_since: since } = found;
  const { entitlement, counter, changedAt } = snapshotAt(
    {
      ...texts,
      counter: found.counter,
      changedAt: found.changed_at?.getTime() ?? null,
    },
    now,
  );
  const { role, plan, status, subscriptionActive, expiresAt, cancelAt, validUntil } = entitlement;
  return {
    userId: found.user_id,
    role,
    plan,
    status,
    subscriptionActive,
    expiresAt,
    cancelAt,
    validUntil,
    revocationVersion: counter + found.version_offset,
    changedAt: changedAt === null ? null : new Date(changedAt).toISOString(),
    ...(position === null || since === null ? {} : { faulted: { since: since.toISOString(), position } }),
  };
}
