import type { Pool } from 'pg';
import { z } from 'zod';
import { type PlanCatalog, planCatalogSchema } from '../../plans/plan-catalog.js';
import { orderObservations, statusOf } from '../../policy/order.js';
import { observationText } from './fact-rows.js';

const subject = z.object({
  kind: z.enum(['customer', 'subscription']),
  id: z.string(),
  customer: z.string().nullable(),
});
const conflict = z.object({
  kind: z.enum(['customer', 'subscription']),
  id: z.string(),
  owner: z.string(),
  claims: z
    .string()
    .transform((text) =>
      z.array(z.strictObject({ userId: z.string(), eventId: z.string() })).parse(JSON.parse(text)),
    ),
});

const observationRow = z.object({ subscription: z.string(), body: z.string() });

/** Something Stripe told of that belongs to nobody yet. */
export type Unlinked = z.infer<typeof subject>;
/** Something whose facts name another user than its owner; `claims` say whom, and which Stripe event said so. */
export type Conflict = z.infer<typeof conflict>;

/** A page of a list; `next` is the cursor of the next one, `null` at the end. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

const LIVE = '(select generation from tenure.live_generation)';

/** What ops and the webhook ask of the read models; each answer is one statement. */
export class OpsReader {
  constructor(private readonly pool: Pool) {}

  /** Customers and subscriptions without an owner, by kind and id. `cursor` is the `next` of the page before. */
  async unlinked(cursor: string | null, limit: number): Promise<Listing<Unlinked>> {
    const found = await this.pool.query(
      `select * from (
         select 'customer' as kind, customer as id, null as customer from tenure.customer
           where generation = ${LIVE} and owner is null
         union all
         select 'subscription', subscription, customer from tenure.subscription
           where generation = ${LIVE} and owner is null
       ) as unlinked
       where $1::text is null or (kind || ':' || id) collate "C" > $1
       order by (kind || ':' || id) collate "C" limit $2`,
      [cursor, limit],
    );
    return listing(z.array(subject).parse(found.rows), limit);
  }

  /** Customers and subscriptions about which the facts disagree, by kind and id. */
  async conflicts(cursor: string | null, limit: number): Promise<Listing<Conflict>> {
    const found = await this.pool.query(
      `select * from (
         select 'customer' as kind, customer as id, owner, conflicts as claims from tenure.customer
           where generation = ${LIVE} and conflicts is not null
         union all
         select 'subscription', subscription, owner, conflicts from tenure.subscription
           where generation = ${LIVE} and conflicts is not null
       ) as conflict
       where $1::text is null or (kind || ':' || id) collate "C" > $1
       order by (kind || ':' || id) collate "C" limit $2`,
      [cursor, limit],
    );
    return listing(z.array(conflict).parse(found.rows), limit);
  }

  /** Those of the subscriptions that the read models show active or trialing. */
  async activeSubscriptions(subscriptions: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.pool.query(
      `select subscription, body from tenure.subscription_fact
       where generation = ${LIVE} and subscription = any($1) and kind = 'observation'`,
      [subscriptions],
    );
    const bodies = new Map<string, string[]>();
    for (const { subscription, body } of z.array(observationRow).parse(found.rows)) {
      bodies.set(subscription, [...(bodies.get(subscription) ?? []), body]);
    }
    const isActive = (texts: readonly string[]): boolean => {
      const observations = texts.map((text) => observationText.parse(JSON.parse(text)));
      const status = statusOf(orderObservations(observations).observations);
      return status === 'active' || status === 'trialing';
    };
    return new Set([...bodies].filter(([, texts]) => isActive(texts)).map(([subscription]) => subscription));
  }

  /** The catalogue that is judged by; `null` before the first one. */
  async currentCatalog(): Promise<PlanCatalog | null> {
    const found = await this.pool.query(
      `select catalog from tenure.plan_catalog where generation = ${LIVE} order by position desc limit 1`,
    );
    const [row] = z.array(z.object({ catalog: z.string() })).parse(found.rows);
    return row === undefined ? null : planCatalogSchema.parse(JSON.parse(row.catalog));
  }
}

function listing<Item extends { kind: string; id: string }>(
  items: readonly Item[],
  limit: number,
): Listing<Item> {
  const last = items.length === limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : `${last.kind}:${last.id}` };
}
