import type { Pool } from 'pg';
import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import { LIVE } from '../../projections/read-models/live-generation.js';

const streamSchema = z.strictObject({
  category: z.enum(['subscription', 'customer', 'checkout', 'payment', 'grant', 'overrides']),
  id: z.string(),
});

const row = z.object({
  generation: z.number(),
  handled: z.string().nullable(),
  now_ms: z.coerce.number(),
  has_times: z.boolean(),
  last_kept: z.string().nullable(),
  publications: z.array(z.string()),
  streams: z.array(streamSchema),
  set_aside: z.array(
    z.object({
      stream: z.string(),
      revision: z.number(),
      position: z.string(),
      since: z.number(),
      users: z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text))),
    }),
  ),
});

/** A stream of which the live generation leaves out events from a revision on; `since` is Unix ms. */
export interface LeftOutStream {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly since: number;
  readonly users: readonly string[];
}

/** Where a user's events are, and how far the live generation has folded the log. */
export interface UserStreams {
  readonly generation: number;
  readonly handled: Position | null;
  /** The fold's time at `handled`, Unix ms. */
  readonly logicalTime: number;
  /** The last event at which the fold kept a time that is not after the moment asked for; `null` where there is none. */
  readonly lastKept: Position | null;
  /** Whether the generation has kept the fold's times and users' streams from its first event on. */
  readonly isWhole: boolean;
  /** Positions of the published catalogues, in their order. */
  readonly publications: readonly Position[];
  readonly streams: readonly z.infer<typeof streamSchema>[];
  readonly setAside: readonly LeftOutStream[];
}

/** One statement, so one moment. What is related is found from stream to stream, whichever way it was named. */
const READ = {
  name: 'tenure-read-user-streams',
  text: `with recursive related (category, id) as (
     select category, id from tenure.user_stream
     where generation = ${LIVE} and user_id = $1
     union
     select n.category, n.id from related r cross join lateral (
       select 'customer' as category, s.customer as id from tenure.subscription s
       where r.category = 'subscription' and s.generation = ${LIVE} and s.subscription = r.id
       union all
       select 'customer', t.customer from tenure.subscription_customer t
       where r.category = 'subscription' and t.generation = ${LIVE} and t.subscription = r.id
       union all
       select 'checkout', c.session from tenure.checkout c
       where r.category = 'subscription' and c.generation = ${LIVE} and c.subscription = r.id
       union all
       select 'payment', p.other from tenure.payment_join p
       where r.category = 'subscription' and p.generation = ${LIVE} and p.kind = 'subscription' and p.id = r.id
       union all
       select 'payment', p.other from tenure.payment_join p
       where r.category = 'checkout' and p.generation = ${LIVE} and p.kind = 'session' and p.id = r.id
       union all
       select 'subscription', s.subscription from tenure.subscription s
       where r.category = 'customer' and s.generation = ${LIVE} and s.customer = r.id
       union all
       select 'subscription', t.subscription from tenure.subscription_customer t
       where r.category = 'customer' and t.generation = ${LIVE} and t.customer = r.id
       union all
       select 'checkout', c.session from tenure.checkout c
       where r.category = 'customer' and c.generation = ${LIVE} and c.customer = r.id
       union all
       select unnest(array['customer', 'subscription']), unnest(array[c.customer, c.subscription])
       from tenure.checkout c
       where r.category = 'checkout' and c.generation = ${LIVE} and c.session = r.id
     ) as n where n.id is not null
   )
   select l.generation, c.handled::text, c.now_ms::text,
     exists (select from tenure.logical_time t
             where t.generation = ${LIVE} and t.position = -1) as has_times,
     (select t.position::text from tenure.logical_time t
      where t.generation = ${LIVE} and t.now_ms <= $2::bigint
      order by t.now_ms desc, t.position desc limit 1) as last_kept,
     array(select p.position::text from tenure.plan_catalog p
           where p.generation = ${LIVE} order by p.position) as publications,
     (select coalesce(json_agg(json_build_object('category', category, 'id', id)), '[]') from related) as streams,
     (select coalesce(json_agg(json_build_object('stream', a.stream, 'revision', a.revision,
        'position', a.position::text, 'since', extract(epoch from a.since) * 1000, 'users', a.users)), '[]')
      from tenure.set_aside_stream a
      where a.generation = ${LIVE}) as set_aside
   from tenure.live_generation l
   join tenure.projection_checkpoint c on c.projection = 'entitlements' and c.generation = l.generation`,
};

/** Finds the streams that what a user has by hand, its subscriptions, and whose they are, may ever have depended on; `null` before the first start. `knownAt`: Unix ms, or `null`. */
export async function readUserStreams(
  pool: Pool,
  userId: string,
  knownAt: number | null,
): Promise<UserStreams | null> {
  const { rows } = await pool.query({ ...READ, values: [userId, knownAt] });
  if (rows[0] === undefined) return null;
  const found = row.parse(rows[0]);
  const {
    now_ms: logicalTime,
    has_times: hasTimes,
    last_kept: lastKept,
    set_aside: setAside,
    ...rest
  } = found;
  return { ...rest, logicalTime, lastKept, setAside, isWhole: hasTimes || rest.handled === null };
}
