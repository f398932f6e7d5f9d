import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database/in-transaction.js';
import { sqlStateOf } from '../../../database/transient.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { Position, StoredEvent } from '../../../events/stored-event.js';
import { NamedError } from '../../../observability/named-error.js';
import type { Checkpoint } from '../../engine/checkpoint.js';
import type { ProjectionKey } from '../../engine/projection-key.js';
import { arrayColumn, SEPARATOR, textColumn } from '../../entitlements/statement-values.js';

/** SQLSTATEs `undefined_table` and `lock_not_available`. */
const UNDEFINED_TABLE = '42P01';
const LOCK_NOT_AVAILABLE = '55P03';

/** How long a drop waits for whoever reads the table, as a dump does, in milliseconds: behind it, others who read would wait too. */
const LOCK_MS = 200;

/**
 * Events of a stretch are not where they were set down: a crash of PostgreSQL emptied the table, the generation is dropped, or
 * somebody else goes on with it. Whoever goes on reads the stretch again.
 */
export class SetDownGoneError extends NamedError {
  readonly code = 'set_down_gone';
  readonly mayPass = true;
  readonly isTimeout = false;

  constructor(generation: number) {
    super(`what was set down of the log for generation ${generation} is not there any more`);
  }
}

/**
 * A table of a stretch's events, of which a log finds none apart from the others: they are set down there while the stretch is
 * read, and found by their positions while it is folded. It is no read model, and no partition of one: nobody compares it, a
 * generation has it for a while, and a crash of the database may empty it, so that nothing of it goes to the write-ahead log.
 */
export class SetDownEvents {
  /** Whether there may be a table: at first, one that somebody has left who was killed. */
  #mayBeThere = true;

  constructor(
    private readonly pool: Pool,
    private readonly key: ProjectionKey,
  ) {}

  /**
   * Makes the table anew, for the stretch after a checkpoint; or takes it as it is, where somebody reads it: what is set down is
   * written over what is left there, and to delete that could take longer than a statement may.
   * @throws SetDownGoneError where the fold is not at it any more
   */
  async begin({ revision }: Pick<Checkpoint, 'revision'>): Promise<void> {
    const { projection, generation } = this.key;
    this.#mayBeThere = true;
    await inTransaction(this.pool, async (client) => {
      // A generation loses its checkpoint before its tables: held here, it has either both or none.
      const held = await client.query(
        `select from tenure.projection_checkpoint where projection = $1 and generation = $2 and revision = $3 for share`,
        [projection, generation, revision],
      );
      if (held.rowCount !== 1) throw new SetDownGoneError(generation);
      await client.query('savepoint beginning');
      if (!(await tryToDrop(client, generation))) {
        await client.query('rollback to savepoint beginning');
        return;
      }
      // Rows are not compressed: they are read once, and soon.
      await client.query(
        `create unlogged table ${tableOf(generation)} (
           position bigint primary key, stream text not null, revision bigint not null, id text not null,
           type text not null, data text not null, metadata text not null
         ) with (toast_tuple_target = 8160, autovacuum_enabled = false)`,
      );
    });
  }

  /** Sets events down, each in the place of one that is there. @throws SetDownGoneError */
  async take(events: readonly StoredEvent[]): Promise<void> {
    const { generation } = this.key;
    if (events.length === 0) return;
    await orGone(generation, () =>
      this.pool.query({
        name: `tenure-set-down-${generation}`,
        text: `insert into ${tableOf(generation)} (position, stream, revision, id, type, data, metadata)
               select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::text[],
                 string_to_array($6, ${SEPARATOR}), string_to_array($7, ${SEPARATOR}))
               on conflict (position) do update set stream = excluded.stream, revision = excluded.revision, id = excluded.id,
                 type = excluded.type, data = excluded.data, metadata = excluded.metadata`,
        values: [
          arrayColumn(events, ({ position }) => position),
          arrayColumn(events, ({ stream }) => stream),
          arrayColumn(events, ({ revision }) => revision),
          arrayColumn(events, ({ id }) => id),
          arrayColumn(events, ({ type }) => type),
          textColumn(events, ({ data }) => data),
          textColumn(events, ({ metadata }) => metadata),
        ],
      }),
    );
  }

  /** Drops the table, unless somebody reads it: then that is left to the next stretch, or to the drop of the generation. */
  async clear(): Promise<void> {
    if (!this.#mayBeThere) return;
    await inTransaction(this.pool, (client) => tryToDrop(client, this.key.generation));
    this.#mayBeThere = false;
  }
}

/** Begins the name of every such statement; see `setDownEventsAt`. */
export const EVENTS_AT = 'tenure-set-down-at-';

/**
 * The events at these positions, each given once, in the log's order: all of them, by any connection to the database.
 * @throws SetDownGoneError
 */
export async function setDownEventsAt(
  queries: Pick<Pool, 'query'>,
  generation: number,
  positions: readonly Position[],
): Promise<readonly StoredEvent[]> {
  const { rows } = await orGone(generation, () =>
    queries.query<StoredEvent>({
      name: `${EVENTS_AT}${generation}`,
      text: `select e.position::text as position, stream, revision::float8 as revision, id, type, data, metadata
             from ${tableOf(generation)} as e where e.position = any ($1::bigint[]) order by e.position`,
      values: [positions],
    }),
  );
  if (rows.length < positions.length) throw new SetDownGoneError(generation);
  return rows;
}

/** What finds events of a stretch: the store, where it finds events apart from one another, else what was set down of them. */
export function eventsAtOf(
  store: Pick<EventStore, 'eventsAt'>,
  queries: Pick<Pool, 'query'>,
  generation: number,
): NonNullable<EventStore['eventsAt']> {
  return store.eventsAt?.bind(store) ?? ((positions) => setDownEventsAt(queries, generation, positions));
}

/** The statement that drops what was set down of the log for a generation, if anything. */
export function dropSetDown(generation: number): string {
  return `drop table if exists ${tableOf(generation)}`;
}

/** Drops what was set down for a generation; `false`, and nothing more can be done in the transaction, where somebody reads it. */
async function tryToDrop(client: PoolClient, generation: number): Promise<boolean> {
  try {
    await client.query(`set local lock_timeout = ${LOCK_MS}`);
    await client.query(dropSetDown(generation));
    return true;
  } catch (error) {
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
    return false;
  }
}

function tableOf(generation: number): string {
  if (!Number.isSafeInteger(generation)) throw new RangeError(`a generation is no ${generation}`);
  return `tenure.set_down_event_g${generation}`;
}

async function orGone<T>(generation: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw sqlStateOf(error) === UNDEFINED_TABLE ? new SetDownGoneError(generation) : error;
  }
}
