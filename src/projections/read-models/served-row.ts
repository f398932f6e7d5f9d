import type { ClientBase, Pool } from 'pg';
import { z } from 'zod';
import { NamedError } from '../../observability/named-error.js';
import { type Faulted, type Served, serve } from '../entitlements/snapshot.js';
import { defaultUserRow, entitlementSchema, parseSnapshotTexts } from '../entitlements/user-row.js';
import { LIVE } from './live-generation.js';

/** No catalogue has been projected yet: nothing can be said of anyone. */
export class ReadModelNotReadyError extends NamedError {
  readonly code = 'read_model_not_ready';
  constructor() {
    super('the read models hold no plan catalogue yet');
  }
}

const nullable = z.string().nullable();
/** A user as the read models have him; each answer that is made of it is of one moment. */
export const servedRow = z.object({
  user_id: z.string(),
  snapshot: nullable,
  successors: nullable,
  counter: z.number().nullable(),
  position: nullable,
  changed_at: z.date().nullable(),
  history_seq: z.number().nullable(),
  version_offset: z.number(),
  handled: nullable,
  default_snapshot: nullable,
  live_epoch: z.number(),
  revision: z.coerce.number(),
  fault_position: nullable,
  fault_since: z.date().nullable(),
  planned_subscription: nullable,
  planned_plan: nullable,
  planned_label: nullable,
  planned_at: z.date().nullable(),
});

/** What is read of each user, as `servedRow` has it. */
export const SERVED_COLUMNS = `q.user_id, u.snapshot, u.successors, u.counter, u.position::text, u.changed_at, u.history_seq,
           coalesce(o.version_offset, 0) as version_offset, c.handled::text, coalesce(c.revision, 0)::text as revision,
           f.position::text as fault_position, f.since as fault_since,
           n.subscription as planned_subscription, n.plan as planned_plan, n.label as planned_label, n.at as planned_at,
           (select swaps from tenure.live_generation) as live_epoch,
           (select p.default_snapshot from tenure.plan_catalog p where p.generation = ${LIVE}
             order by p.position desc limit 1) as default_snapshot`;

/**
 * Where it is read, of the users in the parameter $1: one statement, so one moment, in which pointer, rows, offsets and checkpoint
 * belong together. A change to come counts no longer once an observation is of its second or later, by Stripe's clock, or says
 * that the subscription's schedule became another one, or none.
 *
 * Each connection plans it once, maybe while the tables are empty. So the planner is not shown how many are asked for, or it
 * would plan every call anew for the one that it sees, which takes longer than the answer; and by `offset 0` each table
 * is looked into by its key for each user, and never read whole because it was small once.
 */
export const SERVED_FROM = `unnest((select $1::text[])) as q(user_id)
         left join lateral (
           select * from tenure.user_role r where r.generation = ${LIVE} and r.user_id = q.user_id offset 0) u on true
         left join lateral (
           select version_offset from tenure.revocation_offset r where r.user_id = q.user_id offset 0) o on true
         left join lateral (
           select position, since from tenure.faulted_user r
           where r.generation = ${LIVE} and r.user_id = q.user_id and r.position is not null offset 0) f on true
         left join lateral (
           select subscription, plan, label, at from tenure.plan_change r
           where r.generation = ${LIVE} and r.user_id = q.user_id
             and not exists (select from tenure.subscription_fact s
               where s.generation = r.generation and s.subscription = r.subscription and s.kind = 'observation'
                 and (substring(s.body from '"created":([0-9]+)')::bigint >= extract(epoch from r.at)
                   or (substring(s.body from '"created":([0-9]+)')::bigint > r.asked_at
                     and s.body ~ '"names":\\[[^]]*"schedule"')))
           offset 0) n on true
         left join tenure.projection_checkpoint c on c.projection = 'entitlements' and c.generation = ${LIVE}`;

const READ = {
  name: 'tenure-read-entitlements',
  text: `select ${SERVED_COLUMNS} from ${SERVED_FROM}`,
};

/** Snapshots read by one statement, and the epoch of the live generation that they are of; `null` where nobody was asked for. */
export interface ServedRows {
  readonly served: readonly Served[];
  readonly liveEpoch: number | null;
  /** The commit of the fold that they are as of. */
  readonly revision: number;
}

/**
 * Reads the snapshots of users by the clock `now` (Unix ms); of one without a row that of the default plan.
 * @throws ReadModelNotReadyError
 */
export async function readServed(
  pool: Pool | ClientBase,
  userIds: readonly string[],
  now: () => number,
): Promise<ServedRows> {
  const found = await pool.query({ ...READ, values: [userIds] });
  const at = now();
  const rows = z.array(servedRow).parse(found.rows);
  return {
    served: rows.map((each) => toServed(each, at)),
    liveEpoch: rows[0]?.live_epoch ?? null,
    revision: rows[0]?.revision ?? 0,
  };
}

/** The snapshot of a row at `now` (Unix ms). @throws ReadModelNotReadyError */
export function toServed(found: z.infer<typeof servedRow>, now: number): Served {
  if (found.default_snapshot === null) throw new ReadModelNotReadyError();
  const { user_id: userId, snapshot, successors, counter, history_seq: historySeq } = found;
  const { fault_position: position, fault_since: since } = found;
  let faulted: Faulted | null =
    position === null || since === null ? null : { since: since.toISOString(), position };
  const byDefault = entitlementSchema.parse(JSON.parse(found.default_snapshot));
  let user = defaultUserRow(userId, byDefault);
  if (snapshot !== null && successors !== null && counter !== null && historySeq !== null) {
    const changedAt = found.changed_at?.getTime() ?? null;
    const texts = parseSnapshotTexts(snapshot, successors);
    // A row that cannot be read back gives nothing and marks its user: no other answer depends on it.
    if (texts === null) {
      faulted ??= { since: new Date(changedAt ?? 0).toISOString(), position: found.position ?? '0' };
    }
    const { entitlement, successors: later } = texts ?? user;
    user = {
      userId,
      entitlement,
      successors: later,
      counter,
      position: found.position,
      changedAt,
      historySeq,
      // By which catalogue they were judged is not served, nor what is for ops.
      catalog: null,
      adoptedPrices: [],
    };
  }
  const { planned_subscription: subscription, planned_plan: plan, planned_label: interval } = found;
  const plannedAt = found.planned_at?.getTime() ?? null;
  const planned =
    subscription === null || plan === null || plannedAt === null
      ? null
      : { subscription, plan, interval, at: plannedAt };
  return serve(user, { faulted, planned }, found.version_offset, found.handled ?? '0', now);
}
