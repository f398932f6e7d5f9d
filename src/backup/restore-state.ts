import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../database/in-transaction.js';
import { RESTORE_UNDER_WAY } from '../event-store/log-identity.js';
import { ENTITLEMENTS } from '../projections/entitlements/entitlements.projector.js';
import { attachPartitions } from '../projections/read-models/partitions.js';
import { renewFeedEpoch } from '../projections/read-models/revocation-feed.reader.js';
import { dropGeneration } from '../projections/rebuild/generation-table.js';
import { keepServedDefaults, keepServedOfAll } from '../projections/rebuild/served-from.js';
import type { BackupAbout, BackupLine } from './backup-format.js';
import { BackupRefusedError } from './errors.js';
import { columnsOfKeptTables, KeptRowsWriter } from './kept-rows.js';
import { KEPT_TABLES } from './tables.js';

/*
 * While a restore is under way two tables are there besides: one row that names the backup, which keeps services and other
 * commands away and by which a killed restore is known again; and the places of the log that kept rows tell of, which get
 * their positions in the new log as its events are written. Both go in the transaction that ends the restore.
 */
const PLACES = 'tenure.restore_place';

/** The rows that migrations make, which those of the backup replace. */
const MADE_BY_MIGRATIONS = ['live_generation', 'projection_generation', 'revocation_feed_head'];

/** The generation that migrations make: read, and empty, until the fold of the restored log takes its place. */
const FIRST_GENERATION = 1;

/** The SHA-256 of the backup whose restore is under way in this database; `null` when none is. */
export async function restoreUnderWay(pool: Pool): Promise<string | null> {
  const { rows } = await pool.query('select to_regclass($1) is not null as "isThere"', [RESTORE_UNDER_WAY]);
  if (rows[0]?.isThere !== true) return null;
  const found = await pool.query(`select sha256 from ${RESTORE_UNDER_WAY}`);
  return z.tuple([z.object({ sha256: z.string() })]).parse(found.rows)[0].sha256;
}

/**
 * Begins a restore, in one transaction: the kept rows are there, and the database says what it is being made of.
 * @param lines of the backup from its first on; no event is read
 * @throws BackupRefusedError when the database has rows of its own, or an older release cannot take those of the backup
 */
export async function beginRestore(
  pool: Pool,
  sha256: string,
  about: BackupAbout,
  lines: AsyncIterator<BackupLine>,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('set local synchronous_commit = on');
    await client.query(`set local timezone to 'UTC'`);
    await refuseRowsOfItsOwn(client);
    await refuseUnknownColumns(client, about);
    await client.query(`create table ${RESTORE_UNDER_WAY} (sha256 text not null)`);
    await client.query(`insert into ${RESTORE_UNDER_WAY} values ($1)`, [sha256]);
    await client.query(`create table ${PLACES} (place text collate "C" primary key, position bigint)`);
    for (const table of MADE_BY_MIGRATIONS) await client.query(`delete from tenure.${table}`);

    const writer = new KeptRowsWriter(client, about.columns);
    let arePrepared = false;
    for (;;) {
      const next = await lines.next();
      if (next.done === true || next.value.kind === 'event') break;
      if (next.value.kind !== 'row') continue;
      const { table, json } = next.value;
      if (table === 'entitlement_history' && !arePrepared) {
        await writer.flush();
        await attachReplacedGenerations(client);
        arePrepared = true;
      }
      await writer.add(table, json);
    }
    await writer.flush();
    await prepareGenerations(client);
    await notePlaces(client);
  });
}

/** Notes where events are in the new log, as far as kept rows tell of them; again, it changes nothing. */
export async function placeEvents(
  pool: Pool,
  events: readonly { readonly id: string; readonly before: string; readonly position: string }[],
): Promise<void> {
  await pool.query(
    `update ${PLACES} p set position = e.position
     from unnest($1::text[], $2::bigint[]) as e(place, position) where p.place = e.place`,
    [
      events.flatMap(({ id, before }) => [id, atPosition(before)]),
      events.flatMap(({ position }) => [position, position]),
    ],
  );
}

/** Ends a restore, in the transaction that has the fold of its log read. */
export async function endRestore(client: PoolClient): Promise<void> {
  const placeOf = (key: string): string => `(select p.position from ${PLACES} p where p.place = ${key})`;
  await client.query(
    `update tenure.swap_history h set position = ${placeOf('h.event_id::text')},
       late_at = ${placeOf(`'at ' || h.late_at`)}`,
  );
  await client.query(
    `update tenure.entitlement_history h set position = ${placeOf('h.event_id::text')}, late_at = null
     where generation in (select generation from tenure.projection_generation where state = 'replaced')`,
  );
  await client.query(
    `update tenure.generation_swap s set position = case when ${ofThisLog('s')} then ${placeOf(`'at ' || s.position`)} end`,
  );
  await client.query(
    `update tenure.projection_generation set state = 'dropping' where generation = $1 and state = 'dropped'`,
    [FIRST_GENERATION],
  );
  await endServedHistory(client, placeOf);
  await renewFeedEpoch(client);
  await client.query(`drop table ${PLACES}, ${RESTORE_UNDER_WAY}`);
}

/** The history of what is served has the positions of the new log, and goes on with what its fold serves. */
async function endServedHistory(client: PoolClient, placeOf: (key: string) => string): Promise<void> {
  const place = placeOf(`'at ' || s.position`);
  await client.query(
    `update tenure.served_entitlement s set position = case when ${SERVED_OF_THIS_LOG} then ${place} end
     where position is not null`,
  );
  await client.query(
    `update tenure.served_mark s set position = coalesce(${place}, position)
     where position is not null and ${SERVED_OF_THIS_LOG}`,
  );
  for (const table of ['served_entitlement', 'served_mark']) {
    await client.query(
      `select setval('tenure.${table}_ordinal_seq', (select coalesce(max(ordinal), 0) + 1 from tenure.${table}), false)`,
    );
  }
  await client.query(
    `select setval('tenure.reaction_work_seq_seq', (select coalesce(max(seq), 0) + 1 from tenure.reaction_work), false)`,
  );
  const { rows } = await client.query('select generation from tenure.live_generation');
  const [{ generation }] = z.tuple([z.object({ generation: z.number() })]).parse(rows);
  await keepServedOfAll(client, { generation, now: Date.now() });
  await keepServedDefaults(client, { generation, now: Date.now() });
}

/** Removes the generation that the migrations had made, unless it holds a history. */
export async function dropFirstGeneration(pool: Pool): Promise<void> {
  const { rows } = await pool.query(
    `select from tenure.projection_generation where generation = $1 and state = 'dropping'`,
    [FIRST_GENERATION],
  );
  if (rows.length > 0) await dropGeneration(pool, ENTITLEMENTS, FIRST_GENERATION);
}

async function refuseRowsOfItsOwn(client: PoolClient): Promise<void> {
  const tables = [...KEPT_TABLES.map(({ table }) => table), 'projection_checkpoint'].filter(
    (table) => !MADE_BY_MIGRATIONS.includes(table),
  );
  for (const table of tables) {
    const { rows } = await client.query(`select from tenure.${table} limit 1`);
    if (rows.length > 0) {
      throw new BackupRefusedError(
        `the database is not empty: tenure.${table} has rows; give it an empty one`,
      );
    }
  }
}

async function refuseUnknownColumns(client: PoolClient, { columns, release }: BackupAbout): Promise<void> {
  const known = await columnsOfKeptTables(client);
  for (const [table, names] of Object.entries(columns)) {
    const unknown = names.find((name) => known[table]?.includes(name) !== true);
    if (unknown !== undefined) {
      throw new BackupRefusedError(
        `the backup was taken by release ${release}, whose ${table}.${unknown} this release does not know`,
      );
    }
  }
}

/** Numbers of generations stay taken; only histories whose log was replaced are there again. */
async function attachReplacedGenerations(client: PoolClient): Promise<void> {
  const { rows } = await client.query(
    `select generation from tenure.projection_generation where state = 'replaced' and generation <> $1`,
    [FIRST_GENERATION],
  );
  for (const { generation } of z.array(z.object({ generation: z.number() })).parse(rows)) {
    for (const statement of attachPartitions(generation)) await client.query(statement);
  }
}

async function prepareGenerations(client: PoolClient): Promise<void> {
  await client.query(`update tenure.projection_generation set state = 'dropped' where state <> 'replaced'`);
  await client.query('update tenure.live_generation set generation = $1', [FIRST_GENERATION]);
}

/** An event is known by its id in every log; a bare position by what it was in the log of the backup. */
async function notePlaces(client: PoolClient): Promise<void> {
  await client.query(
    `insert into ${PLACES} (place)
     select event_id::text from tenure.swap_history where event_id is not null
     union select event_id::text from tenure.entitlement_history where event_id is not null
     union select 'at ' || late_at from tenure.swap_history h where late_at is not null and ${ofThisLog('h')}
     union select 'at ' || position from tenure.generation_swap s where position is not null and ${ofThisLog('s')}
     union select 'at ' || position from tenure.served_entitlement where position is not null and ${SERVED_OF_THIS_LOG}
     union select 'at ' || position from tenure.served_mark where position is not null and ${SERVED_OF_THIS_LOG}`,
  );
}

/** Rows of the history of what is served, from before another log was adopted: they have positions of none that there is. */
const SERVED_OF_THIS_LOG = `known_from >= (select coalesce(max(swapped_at), '-infinity') from tenure.generation_swap
  where kind = 'adoption')`;

/** Positions that were noted before another log was adopted are none of this one. */
function ofThisLog(alias: string): string {
  return `${alias}.swap > (select coalesce(max(swap), 0) from tenure.generation_swap where kind = 'adoption')`;
}

function atPosition(position: string): string {
  return `at ${position}`;
}
