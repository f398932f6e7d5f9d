import type { PoolClient } from 'pg';
import { z } from 'zod';
import { GENERATION_TABLES } from '../read-models/partitions.js';

type Table = (typeof GENERATION_TABLES)[number];

/** Columns of a table but for the generation, as SQL writes their names: those of its primary key, and the others. */
export interface ComparedColumns {
  readonly key: readonly string[];
  readonly others: readonly string[];
}

/** A table of two generations, of which some rows are compared by some columns. */
export interface TableToCompare {
  readonly table: Table;
  readonly columns: ComparedColumns;
  /** Columns, as they are named, by which rows are not compared, and which are not told. */
  readonly without: readonly string[];
  /** Conditions on the row `t`, each of which begins with `and`. */
  readonly only: string;
}

const columnsRow = z.object({
  table: z.enum(GENERATION_TABLES),
  key: z.array(z.string()),
  others: z.array(z.string()),
});

/** Every table that holds one partition a generation with its columns as they are in the database: none is forgotten. */
export async function readTables(
  client: PoolClient,
): Promise<readonly Pick<TableToCompare, 'table' | 'columns'>[]> {
  const { rows } = await client.query(
    `select c.relname::text as table,
       coalesce(array_agg(quote_ident(a.attname) order by a.attnum) filter (where a.attnum = any(k.indkey)), '{}') as key,
       coalesce(array_agg(quote_ident(a.attname) order by a.attnum) filter (where a.attnum <> all(k.indkey)), '{}') as others
     from pg_class c join pg_index k on k.indrelid = c.oid and k.indisprimary
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attname <> 'generation'
     where c.relnamespace = 'tenure'::regnamespace and c.relname = any($1) group by c.relname`,
    [GENERATION_TABLES],
  );
  const found = new Map(
    z
      .array(columnsRow)
      .parse(rows)
      .map((columns) => [columns.table, columns]),
  );
  return GENERATION_TABLES.map((table) => {
    const columns = found.get(table);
    if (columns === undefined) throw new Error(`tenure.${table} has no key to compare its rows by`);
    return { table, columns };
  });
}

/**
 * A statement for the rows of the generations $1 and $2 that have no equal in the other: `found` says in which, `row` is the
 * row as `jsonb`. Rows are joined by their key and told apart column by column, so that nothing is made of those that are
 * equal, which are nearly all.
 */
export function selectUnequal({ table, columns, without, only }: TableToCompare): string {
  const rows = (generation: string): string =>
    `(select * from tenure.${table} t where generation = ${generation} ${only})`;
  const told = (name: string): string =>
    `to_jsonb(${name}) - '{${['generation', ...without].join()}}'::text[]`;
  const compared = columns.others.filter((column) => !without.includes(column));
  const differ = compared.map((column) => ` or a.${column} is distinct from b.${column}`);
  return `select found, row from ${rows('$1')} a full join ${rows('$2')} b using (${columns.key.join()})
    cross join lateral (values ('in the live generation', ${told('a')}), ('in the log', ${told('b')})) as d(found, row)
    where (a.generation is null or b.generation is null${differ.join('')}) and row is not null`;
}
