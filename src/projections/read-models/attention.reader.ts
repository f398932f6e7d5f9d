import type { Pool } from 'pg';
import { z } from 'zod';
import type { AttentionCounts } from '../../observability/watched-gauges.js';
import type { PendingPayment } from '../../policy/entitlement.js';
import { namesOfCatalog } from '../../policy/grants.js';
import { parseSnapshotTexts, snapshotAt } from '../entitlements/user-row.js';
import { readCurrentCatalog } from './current-catalog.js';
import { LIVE } from './live-generation.js';
import type { Listing } from './ops.reader.js';

/** As in the indices that hold them. */
const HAS_UNMAPPED = `strpos(u.snapshot, '"unmappedPrices":[]') = 0`;
const HAS_ADOPTED = `u.adopted_prices <> '[]'`;
const HAS_PENDING = `strpos(u.snapshot, '"pendingPayment":null') = 0`;

const unmappedRow = z.object({
  price: z.string(),
  users: z.number(),
  adopted: z.object({ users: z.number(), plans: z.array(z.string()) }),
  example: z.string(),
});
const pendingRow = z.object({ user_id: z.string(), snapshot: z.string(), successors: z.string() });
const countsRow = z.object({
  unmapped: z.number(),
  adopted: z.number(),
  pending: z.number(),
  without: z.number(),
});

const byHandRow = z.object({ grants: z.number(), overrides: z.number() });

/**
 * A price in no plan and no add-on: for how many users it gives nothing, for how many it counts as a plan's own, and of
 * which plans; and the first of all of them by id.
 */
export type UnmappedPrice = z.infer<typeof unmappedRow>;

/** A user who asked for a higher plan that is not paid yet. */
export interface ListedPendingPayment extends PendingPayment {
  readonly userId: string;
}

/** Lists what is right by the rules and yet may be a mistake in Stripe or in the plan file. Each answer is one statement. */
export class AttentionReader {
  constructor(
    private readonly pool: Pool,
    private readonly now: () => number = Date.now,
  ) {}

  /** Up to `limit` unmapped prices by id, after the price `cursor` (the `next` of the page before). */
  async unmappedPrices(cursor: string | null, limit: number): Promise<Listing<UnmappedPrice>> {
    const { rows } = await this.pool.query(
      `select price, count(distinct user_id) filter (where plan is null)::int as users,
         json_build_object('users', count(distinct user_id) filter (where plan is not null),
           'plans', coalesce(json_agg(distinct plan) filter (where plan is not null), '[]')) as adopted,
         min(user_id) as example
       from (
         select u.user_id, price, null as plan from tenure.user_role u
         cross join lateral json_array_elements_text(u.snapshot::json -> 'unmappedPrices') as each(price)
         where u.generation = ${LIVE} and ${HAS_UNMAPPED}
         union all
         select u.user_id, each->>'price', each->>'plan' from tenure.user_role u
         cross join lateral json_array_elements(u.adopted_prices::json) as each
         where u.generation = ${LIVE} and ${HAS_ADOPTED}
       ) as found
       where price collate "C" > $1
       group by price order by price collate "C" limit $2`,
      [cursor ?? '', limit],
    );
    const items = z.array(unmappedRow).parse(rows);
    return { items, next: items.length === limit ? (items.at(-1)?.price ?? null) : null };
  }

  /**
   * Users by id, after the id `cursor`, who wait for a payment now. A page reads `limit` rows and leaves out whom time has
   * relieved of it, so it may be shorter while `next` says that there is more.
   */
  async pendingPayments(cursor: string | null, limit: number): Promise<Listing<ListedPendingPayment>> {
    const { rows } = await this.pool.query(
      `select u.user_id, u.snapshot, u.successors from tenure.user_role u
       where u.generation = ${LIVE} and ${HAS_PENDING} and u.user_id > $1 order by u.user_id limit $2`,
      [cursor ?? '', limit],
    );
    const found = z.array(pendingRow).parse(rows);
    const now = this.now();
    return {
      items: found.flatMap((row) => {
        const pending = pendingAt(row, now);
        return pending === null ? [] : [{ userId: row.user_id, ...pending }];
      }),
      next: found.length === limit ? (found.at(-1)?.user_id ?? null) : null,
    };
  }

  /** Counts users along the indices of what they are counted for. */
  async counts(): Promise<AttentionCounts> {
    const { rows } = await this.pool.query(
      `select (select count(*)::int from tenure.user_role u where u.generation = ${LIVE} and ${HAS_UNMAPPED}) as unmapped,
              (select count(*)::int from tenure.user_role u where u.generation = ${LIVE} and ${HAS_ADOPTED}) as adopted,
              p.pending, p.without
       from (select count(*)::int as pending,
                    count(*) filter (where strpos(u.snapshot, '"invoice":null') > 0)::int as without
             from tenure.user_role u where u.generation = ${LIVE} and ${HAS_PENDING}) as p`,
    );
    const { unmapped, adopted, pending, without } = countsRow.parse(rows[0]);
    const { grants, overrides } = await this.#withoutEffect();
    return {
      unmappedPrices: unmapped,
      adoptedPrices: adopted,
      pendingPayments: pending,
      pendingWithoutInvoice: without,
      grantsWithoutEffect: grants,
      overridesWithoutEffect: overrides,
    };
  }

  /** Counts grants of which a part, and overrides that, name what the catalogue last published does not have. */
  async #withoutEffect(): Promise<z.infer<typeof byHandRow>> {
    const catalog = await readCurrentCatalog(this.pool);
    if (catalog === null) return { grants: 0, overrides: 0 };
    const names = namesOfCatalog(catalog);
    const { rows } = await this.pool.query(
      `select (select count(*)::int from tenure.grant g where g.generation = ${LIVE} and not g.revoked
                 and (g.ends_at is null or g.ends_at > $2::timestamptz)
                 and exists (select from json_array_elements_text(g.names::json) n where n <> all($1::text[]))) as grants,
              (select count(*)::int from tenure.override o where o.generation = ${LIVE} and not o.removed
                 and (o.ends_at is null or o.ends_at > $2::timestamptz)
                 and o.kind || ':' || o.key <> all($1::text[])) as overrides`,
      [names, new Date(this.now()).toISOString()],
    );
    return byHandRow.parse(rows[0]);
  }
}

/** A row that cannot be read back is served as the default plan, which waits for nothing. */
function pendingAt(row: z.infer<typeof pendingRow>, now: number): PendingPayment | null {
  const texts = parseSnapshotTexts(row.snapshot, row.successors);
  return texts === null
    ? null
    : snapshotAt({ ...texts, counter: 0, changedAt: null }, now).entitlement.pendingPayment;
}
