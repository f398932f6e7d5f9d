import type pg from 'pg';

/**
 * What every schema of ours is made of, by the sum of the hashes of its parts: a test that changes it leaves a database that
 * no other test gets. Copies of a template have the same object ids.
 */
const SHAPE = `
  select concat_ws(' ',
    (select sum(hashtextextended(concat_ws(' ', attrelid, relname, relkind, attname, atttypid, attnotnull), attnum))
     from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 where relnamespace = any($1)),
    (select sum(hashtextextended(concat_ws(' ', conname, conrelid), 0)) from pg_constraint where connamespace = any($1)),
    (select sum(hashtextextended(concat_ws(' ', tgname, tgrelid, tgenabled), 0))
     from pg_trigger join pg_class on tgrelid = pg_class.oid where relnamespace = any($1)),
    (select sum(hashtextextended(concat_ws(' ', proname, prosrc), 0)) from pg_proc where pronamespace = any($1)),
    (select string_agg(nspname, ',' order by nspname) from pg_namespace where nspname !~ '^pg_'),
    (select string_agg(setconfig::text, ',' order by setrole) from pg_db_role_setting
     where setdatabase = (select oid from pg_database where datname = current_database()))) as shape`;

/** Tables that hold rows themselves, and the pages of their files: none where nobody has ever put a row in. */
const TABLES = `
  select c.oid::regclass::text as name, (pg_relation_size(c.oid) / current_setting('block_size')::int)::int as pages,
         exists (select from pg_trigger where tgrelid = c.oid and tgname = 'refuse_change') as guarded
  from pg_class c where relkind = 'r'`;
const IN_SCHEMAS = `${TABLES} and relnamespace = any($1) order by 1`;
const OF_NAMES = `
  ${TABLES} and (c.oid = any($1::regclass[]) or exists (
    select from pg_partition_ancestors(c.oid) as part where part = any($1::regclass[]))) order by 1`;

/** A table of more pages is truncated, which makes new files for it and each of its indexes; of fewer the rows are deleted. */
const MOST_PAGES = 256;

/** Where each sequence is, as the arguments of `setval`. */
const SEQUENCES = `
  select format('%I.%I', schemaname, sequencename) as name, coalesce(last_value, start_value)::text as value,
         last_value is not null as called
  from pg_sequences order by 1`;

interface Sequence {
  readonly name: string;
  readonly value: string;
  readonly called: boolean;
}

interface Table {
  readonly name: string;
  readonly pages: number;
  readonly guarded: boolean;
}

/** The tables of a database as migrations left them, and a way back to that. */
export class FreshTables {
  private constructor(
    private readonly schemas: readonly number[],
    private readonly tables: ReadonlySet<string>,
    private readonly shape: string,
    /** Rows that the migrations made, as JSON, by table. */
    private readonly rows: ReadonlyMap<string, string>,
    private readonly sequences: readonly Sequence[],
  ) {}

  /** Remembers what is in a database that nobody has used yet. */
  static async of(pool: pg.Pool): Promise<FreshTables> {
    const found = await pool.query<{ oid: number }>(
      `select oid::int from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'`,
    );
    const schemas = found.rows.map(({ oid }) => oid);
    const tables = (await pool.query<Table>(IN_SCHEMAS, [schemas])).rows;
    const rows = new Map<string, string>();
    for (const { name, pages } of tables) {
      if (pages === 0) continue;
      const [kept] = (await pool.query(`select json_agg(t)::text as rows from ${name} t`)).rows;
      if (kept.rows !== null) rows.set(name, kept.rows);
    }
    const sequences = (await pool.query<Sequence>(SEQUENCES)).rows;
    const names = new Set(tables.map(({ name }) => name));
    return new FreshTables(schemas, names, await shapeOf(pool, schemas), rows, sequences);
  }

  /** Removes what was put in since. `false`: the schema itself was changed, so that the database is of no more use. */
  async restore(pool: pg.Pool): Promise<boolean> {
    const found = (await pool.query<Table>(IN_SCHEMAS, [this.schemas])).rows;
    const added = found.filter(({ name }) => !this.tables.has(name));
    await emptyTables(
      pool,
      found.filter(({ name }) => this.tables.has(name)),
      added.map(({ name }) => `drop table ${name}`),
    );
    for (const [name, rows] of this.rows) {
      await pool.query(`insert into ${name} select * from json_populate_recordset(null::${name}, $1)`, [
        rows,
      ]);
    }
    const values = this.sequences.map(({ name, value, called }) => `setval('${name}', ${value}, ${called})`);
    if (values.length > 0) await pool.query(`select ${values.join(', ')}`);
    return (await shapeOf(pool, this.schemas)) === this.shape;
  }
}

/** Removes all rows of these tables and of their parts. */
export async function emptyTablesNamed(pool: pg.Pool, names: readonly string[]): Promise<void> {
  await emptyTables(pool, (await pool.query<Table>(OF_NAMES, [names])).rows);
}

async function emptyTables(
  pool: pg.Pool,
  tables: readonly Table[],
  before: readonly string[] = [],
): Promise<void> {
  const used = tables.filter(({ pages }) => pages > 0);
  const guarded = used.filter((table) => table.guarded);
  const statements = [
    ...before,
    ...guarded.map(({ name }) => `alter table ${name} disable trigger refuse_change`),
    ...used.map(({ name, pages }) => (pages > MOST_PAGES ? `truncate ${name}` : `delete from ${name}`)),
    ...guarded.map(({ name }) => `alter table ${name} enable always trigger refuse_change`),
  ];
  if (statements.length > 0) await pool.query(statements.join('; '));
}

async function shapeOf(pool: pg.Pool, schemas: readonly number[]): Promise<string> {
  return (await pool.query<{ shape: string }>(SHAPE, [schemas])).rows[0]?.shape ?? '';
}
