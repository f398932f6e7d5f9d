import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import { inTransaction } from '../database/in-transaction.js';
import { BackupFileError } from './errors.js';
import { KEPT_TABLES, type KeptTable } from './tables.js';

/** Rows that go to or come from the database at once. */
const ROWS_AT_ONCE = 500;

const columnRow = z.object({ table: z.string(), columns: z.array(z.string()) });

/** Columns of the kept tables as they are, by table. */
export async function columnsOfKeptTables(
  connection: Pool | PoolClient,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows } = await connection.query(
    `select table_name as table, json_agg(column_name order by ordinal_position) as columns
     from information_schema.columns where table_schema = 'tenure' and table_name = any($1) group by 1 order by 1`,
    [KEPT_TABLES.map(({ table }) => table)],
  );
  return Object.fromEntries(
    z
      .array(columnRow)
      .parse(rows)
      .map(({ table, columns }) => [table, columns]),
  );
}

/** Gives every kept row as of one moment, as JSON text, to `onRow`. Times are in UTC. */
export function readKeptRows(
  pool: Pool,
  onRow: (table: string, json: string) => Promise<void>,
): Promise<void> {
  return inTransaction(
    pool,
    async (client) => {
      await client.query(`set local timezone to 'UTC'`);
      for (const kept of KEPT_TABLES) await readTable(client, kept, (json) => onRow(kept.table, json));
    },
    'repeatable read read only',
  );
}

async function readTable(
  client: PoolClient,
  { table, order, where }: KeptTable,
  onRow: (json: string) => Promise<void>,
): Promise<void> {
  await client.query(
    `declare kept no scroll cursor for
     select row_to_json(t)::text as json from tenure.${table} t ${where === undefined ? '' : `where ${where}`} order by ${order}`,
  );
  for (;;) {
    const { rows } = await client.query<{ json: string }>(`fetch ${ROWS_AT_ONCE} from kept`);
    for (const { json } of rows) await onRow(json);
    if (rows.length < ROWS_AT_ONCE) break;
  }
  await client.query('close kept');
}

/** Writes rows of kept tables, some at a time, in the transaction of `client`. */
export class KeptRowsWriter {
  #waiting: string[] = [];
  #table: string | null = null;

  /** @param columns those of the file, by table: what it lacks has the default of this release */
  constructor(
    private readonly client: PoolClient,
    private readonly columns: Readonly<Record<string, readonly string[]>>,
  ) {}

  /** @throws BackupFileError when no such table is kept */
  async add(table: string, json: string): Promise<void> {
    if (this.#table !== table || this.#waiting.length === ROWS_AT_ONCE) await this.flush();
    this.#table = table;
    this.#waiting.push(json);
  }

  async flush(): Promise<void> {
    if (this.#table === null || this.#waiting.length === 0) return;
    const columns = this.columns[this.#table];
    if (columns === undefined || !KEPT_TABLES.some(({ table }) => table === this.#table)) {
      throw new BackupFileError(`the backup has rows of a table that is not kept: ${this.#table}`);
    }
    const names = columns.map((column) => `"${column}"`).join(', ');
    await this.client.query(
      `insert into tenure.${this.#table} (${names})
       select ${names} from json_populate_recordset(null::tenure.${this.#table}, $1::json)`,
      [`[${this.#waiting.join(',')}]`],
    );
    this.#waiting = [];
  }
}
