import { type DataSource, Raw } from 'typeorm';
import { z } from 'zod';
import { type PlanCatalog, planCatalogSchema } from '../../events/catalog.events.js';
import { orderObservations, statusOf } from '../../policy/order.js';
import { isSaleUnknown } from '../../policy/purchases.js';
import { checkoutText, observationText } from '../entitlements/fact-rows.js';
import { PlanCatalogEntity } from './entities/fact.entities.js';
import { LIVE } from './live-generation.js';

const subject = z.object({
  kind: z.enum(['checkout', 'customer', 'subscription']),
  id: z.string(),
  customer: z.string().nullable(),
});
const conflict = z.object({
  kind: z.enum(['checkout', 'customer', 'subscription']),
  id: z.string(),
  owner: z.string(),
  claims: z
    .string()
    .transform((text) =>
      z.array(z.strictObject({ userId: z.string(), eventId: z.string() })).parse(JSON.parse(text)),
    ),
});
const observed = z.object({ subscription: z.string(), body: z.string() });

const why = {
  id: z.string(),
  position: z.string(),
  type: z.string(),
  code: z.string(),
  message: z.string(),
  since: z.date().transform((since) => since.toISOString()),
};
const faultRow = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('stream'),
    ...why,
    waiting: z.number(),
    users: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
  }),
  z.object({ kind: z.literal('user'), ...why }),
]);

/**
 * A stream of which events are set aside: from which one on, why, since when (RFC 3339), how many wait, and whose it is. Or a
 * user who cannot be judged, or whose row cannot be written, since an event.
 */
export type Fault = z.infer<typeof faultRow>;

/** A Stripe object with facts that belongs to nobody yet. */
export type Unlinked = z.infer<typeof subject>;
/** Something whose facts name another user than its owner; `claims` say whom, and which Stripe event said so. */
export type Conflict = z.infer<typeof conflict>;

/** A page of a list; `next` is the cursor of the next one, `null` at the end. */
export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** The live generation for a repository's `where`: asked for in the same statement as the rows. */
const live = () => Raw((column) => `${column} = ${LIVE}`);

/** What ops and the webhook ask of the read models; each answer is one statement. */
export class OpsReader {
  /** The catalogue that was read last, with its text: to parse it takes longer than to read it. */
  #read: { readonly text: string; readonly catalog: PlanCatalog } | null = null;

  constructor(private readonly source: DataSource) {}

  /** Purchases, customers and subscriptions without an owner, by kind and id. `cursor` is the `next` of the page before. */
  async unlinked(cursor: string | null, limit: number): Promise<Listing<Unlinked>> {
    return listing(z.array(subject).parse(await this.#page('owner is null', cursor, limit)), limit);
  }

  /** Purchases, customers and subscriptions about which the facts disagree, by kind and id. */
  async conflicts(cursor: string | null, limit: number): Promise<Listing<Conflict>> {
    return listing(z.array(conflict).parse(await this.#page('conflicts is not null', cursor, limit)), limit);
  }

  /** Streams that are set aside, and users who cannot be judged, by kind and id. */
  async faults(cursor: string | null, limit: number): Promise<Listing<Fault>> {
    const found: unknown = await this.source.query(
      `(select 'stream' as kind, stream as id, position::text, event_type as type, code, message, since, waiting, users
        from tenure.set_aside_stream where generation = ${LIVE} and stream > $1 order by stream limit $3)
       union all
       (select 'user', user_id, position::text, own::json->>'eventType', own::json->>'code', own::json->>'message', since,
          null, null
        from tenure.faulted_user where generation = ${LIVE} and position is not null and own is not null
          and user_id > $2 order by user_id limit $3)
       order by kind, id limit $3`,
      [afterOf('stream', cursor), afterOf('user', cursor), limit],
    );
    return listing(z.array(faultRow).parse(found), limit);
  }

  /**
   * Those of the subscriptions that the read models show active or trialing. Of a long life only what was seen last is
   * fetched, and what ended it: the newest second and, because it is put in order after it, the one before. `created` is
   * the third field of a body, so its first mention is it: within a text it would stand escaped.
   */
  async activeSubscriptions(subscriptions: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.source.query<unknown>(
      `select subscription, body from (
         select subscription, body, dense_rank() over (
           partition by subscription order by substring(body from '"created":([0-9]+)')::bigint desc) as nth
         from tenure.subscription_fact
         where generation = ${LIVE} and subscription = any($1) and kind = 'observation') as seen
       where nth <= 2 or body ~ '"status":"(canceled|incomplete_expired)"'`,
      [subscriptions],
    );
    const bodies = new Map<string, string[]>();
    for (const { subscription, body } of z.array(observed).parse(found)) {
      const known = bodies.get(subscription);
      if (known === undefined) bodies.set(subscription, [body]);
      else known.push(body);
    }
    const isActive = (texts: readonly string[]): boolean => {
      const observations = texts.map((text) => observationText.parse(JSON.parse(text)));
      const status = statusOf(orderObservations(observations).observations);
      return status === 'active' || status === 'trialing';
    };
    return new Set([...bodies].filter(([, texts]) => isActive(texts)).map(([subscription]) => subscription));
  }

  /** Those of the sessions that the read models show as purchases of which it is known what they sold. */
  async knownSales(sessions: readonly string[]): Promise<ReadonlySet<string>> {
    const found = await this.source.query<unknown>(
      `select session, facts from tenure.checkout where generation = ${LIVE} and purchase and session = any($1)`,
      [sessions],
    );
    return new Set(
      z
        .array(z.object({ session: z.string(), facts: z.string() }))
        .parse(found)
        .flatMap(({ session, facts }) =>
          isSaleUnknown(checkoutText.parse(JSON.parse(facts))) ? [] : [session],
        ),
    );
  }

  /** The catalogue that is judged by; `null` before the first one. */
  async currentCatalog(): Promise<PlanCatalog | null> {
    const row = await this.source
      .getRepository(PlanCatalogEntity)
      .findOne({ where: { generation: live() }, order: { position: 'DESC' } });
    if (row === null) return null;
    if (this.#read?.text !== row.catalog) {
      this.#read = { text: row.catalog, catalog: planCatalogSchema.parse(JSON.parse(row.catalog)) };
    }
    return this.#read.catalog;
  }

  /**
   * A page over all kinds of thing as one statement, so of one generation; each part is read along its partial index,
   * no further than the page. SQL by hand: TypeORM has no union, and built from its pieces this is twice as long.
   */
  #page(
    condition: 'owner is null' | 'conflicts is not null',
    cursor: string | null,
    limit: number,
  ): Promise<unknown> {
    const part = (
      kind: 'checkout' | 'customer' | 'subscription',
      id: string,
      customer: string,
      after: string,
    ): string =>
      `(select '${kind}' as kind, ${id} as id, ${customer} as customer, owner, conflicts as claims
        from tenure.${kind} where generation = ${LIVE} and ${kind === 'checkout' ? `purchase and ` : ''}${condition}
          and ${id} > ${after}
        order by ${id} limit $4)`;
    return this.source.query(
      `${part('checkout', 'session', 'customer', '$1')} union all ${part('customer', 'customer', 'null', '$2')}
       union all ${part('subscription', 'subscription', 'customer', '$3')}
       order by kind, id limit $4`,
      [afterOf('checkout', cursor), afterOf('customer', cursor), afterOf('subscription', cursor), limit],
    );
  }
}

function listing<Item extends { kind: string; id: string }>(
  items: readonly Item[],
  limit: number,
): Listing<Item> {
  const last = items.length === limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : `${last.kind}:${last.id}` };
}

/** The id after which a kind goes on at a cursor: '' for its first, `null` when all of it lies before the cursor. */
function afterOf(kind: string, cursor: string | null): string | null {
  const start = `${kind}:`;
  if (cursor === null || cursor < start) return '';
  return cursor.startsWith(start) ? cursor.slice(start.length) : null;
}
