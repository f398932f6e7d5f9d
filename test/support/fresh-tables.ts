import type pg from 'pg';

/** What every schema of ours is made of: a test that changes it leaves a database that no other test gets. */
const SHAPE = `
  select md5(concat(
    (select string_agg(concat_ws(' ', relname, relkind, attname, atttypid, attnotnull), ',' order by relname, attnum)
     from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0 where relnamespace = any($1)),
    (select string_agg(concat_ws(' ', conname, conrelid::regclass), ',' order by conname, conrelid::regclass::text)
     from pg_constraint where connamespace = any($1)),
    (select string_agg(concat_ws(' ', tgname, tgrelid::regclass, tgenabled), ',' order by tgname, tgrelid::regclass::text)
     from pg_trigger join pg_class on tgrelid = pg_class.oid where relnamespace = any($1)),
    (select string_agg(proname, ',' order by proname) from pg_proc where pronamespace = any($1)),
    (select string_agg(nspname, ',' order by nspname) from pg_namespace where nspname !~ '^pg_'),
    (select string_agg(setconfig::text, ',' order by setrole) from pg_db_role_setting
     where setdatabase = (select oid from pg_database where datname = current_database())))) as shape`;

const TABLES = `
  select c.oid::regclass::text as name, c.relispartition as part,
         exists (select from pg_trigger where tgrelid = c.oid and tgname = 'refuse_change') as guarded
  from pg_class c where relnamespace = any($1) and relkind in ('r', 'p') order by 1`;

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
  readonly part: boolean;
  readonly guarded: boolean;
}

/** The tables of a database as migrations left them, and a way back to that. */
export class FreshTables {
  private constructor(
    private readonly schemas: readonly number[],
    private readonly tables: readonly Table[],
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
    const tables = (await pool.query<Table>(TABLES, [schemas])).rows;
    const rows = new Map<string, string>();
    for (const { name, part } of tables) {
      if (part) continue;
      const [kept] = (await pool.query(`select json_agg(t)::text as rows from ${name} t`)).rows;
      if (kept.rows !== null) rows.set(name, kept.rows);
    }
    const sequences = (await pool.query<Sequence>(SEQUENCES)).rows;
    return new FreshTables(schemas, tables, await shapeOf(pool, schemas), rows, sequences);
  }

  /** Removes what was put in since. `false`: the schema itself was changed, so that the database is of no more use. */
  async restore(pool: pg.Pool): Promise<boolean> {
    const known = new Set(this.tables.map(({ name }) => name));
    const now = (await pool.query<Table>(TABLES, [this.schemas])).rows;
    const added = now.filter(({ name, part }) => part && !known.has(name));
    const guarded = this.tables.filter((table) => table.guarded);
    const whole = this.tables.filter(({ part }) => !part).map(({ name }) => name);
    await pool.query(
      [
        ...added.map(({ name }) => `drop table ${name}`),
        ...guarded.map(({ name }) => `alter table ${name} disable trigger refuse_change`),
        `truncate ${whole.join(', ')}`,
        ...guarded.map(({ name }) => `alter table ${name} enable always trigger refuse_change`),
      ].join('; '),
    );
    for (const [name, rows] of this.rows) {
      await pool.query(`insert into ${name} select * from json_populate_recordset(null::${name}, $1)`, [
        rows,
      ]);
    }
    for (const { name, value, called } of this.sequences) {
      await pool.query('select setval($1, $2, $3)', [name, value, called]);
    }
    return (await shapeOf(pool, this.schemas)) === this.shape;
  }
}

async function shapeOf(pool: pg.Pool, schemas: readonly number[]): Promise<string> {
  return (await pool.query<{ shape: string }>(SHAPE, [schemas])).rows[0]?.shape ?? '';
}
