import type { PoolClient } from 'pg';

const COLUMNS =
  'user_id, known_from, snapshot, successors, counter, version_offset, position, changed_at, by_swap';
const ROW = `u.snapshot, u.successors, coalesce(u.counter, 0), coalesce(o.version_offset, 0), u.position, u.changed_at, true`;

/** A generation that becomes the one that is read, and the moment (Unix ms) that it is served from. */
export interface ServedFrom {
  readonly generation: number;
  readonly now: number;
}

/** Keeps what is served of these users from now on; part of the transaction that moves the pointer, after the offsets. */
export async function keepServedOf(
  client: PoolClient,
  { generation, now }: ServedFrom,
  users: readonly string[],
): Promise<void> {
  await client.query(
    `insert into tenure.served_entitlement (${COLUMNS})
     select q.user_id, $2, ${ROW} from unnest($3::text[]) with ordinality as q(user_id, n)
     left join tenure.user_role u on u.generation = $1 and u.user_id = q.user_id
     left join tenure.revocation_offset o on o.user_id = q.user_id order by q.n`,
    [generation, new Date(now).toISOString(), users],
  );
}

/** The same for everyone of whom something else was served last: where nothing else tells who that is. */
export async function keepServedOfAll(client: PoolClient, { generation, now }: ServedFrom): Promise<void> {
  await client.query(
    `insert into tenure.served_entitlement (${COLUMNS})
     select user_id, $2, ${ROW}
     from (select * from tenure.user_role where generation = $1) u
     full join (select distinct on (user_id) * from tenure.served_entitlement where user_id <> ''
                order by user_id, ordinal desc) s using (user_id)
     left join tenure.revocation_offset o using (user_id)
     where (u.snapshot, u.successors, u.position, u.changed_at)
         is distinct from (s.snapshot, s.successors, s.position, s.changed_at)
       or coalesce(u.counter, 0) + coalesce(o.version_offset, 0) <> coalesce(s.counter + s.version_offset, 0)
     order by user_id`,
    [generation, new Date(now).toISOString()],
  );
}

/** Keeps what is served from now on of whoever has no row, and whom answers mark, where that is another than before. */
export async function keepServedDefaults(client: PoolClient, { generation, now }: ServedFrom): Promise<void> {
  const values = [generation, new Date(now).toISOString()];
  await client.query(
    `insert into tenure.served_entitlement (user_id, known_from, snapshot, successors, counter, version_offset, by_swap)
     select '', $2, p.default_snapshot, '[]', 0, 0, true
     from (select default_snapshot from tenure.plan_catalog where generation = $1 order by position desc limit 1) p
     where p.default_snapshot is distinct from
       (select snapshot from tenure.served_entitlement where user_id = '' order by ordinal desc limit 1)`,
    values,
  );
  await client.query(
    `insert into tenure.served_mark (user_id, known_from, position, since)
     select user_id, $2, f.position, f.since
     from (select * from tenure.faulted_user where generation = $1 and position is not null) f
     full join (select distinct on (user_id) * from tenure.served_mark order by user_id, ordinal desc) s using (user_id)
     where (f.position, f.since) is distinct from (s.position, s.since) order by user_id`,
    values,
  );
}
