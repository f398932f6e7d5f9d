import type { EntitySchemaColumnOptions } from 'typeorm';

/** Schema of the read models and of the engine's bookkeeping. */
export const SCHEMA = 'tenure';

/** Columns as the migrations make them; `name` is the column's name in the database, where it differs. */
export function text(name?: string): EntitySchemaColumnOptions {
  return { type: 'text', ...named(name) };
}

/** An id, ordered by code point on every machine. */
export function idText(name?: string): EntitySchemaColumnOptions {
  return { type: 'text', collation: 'C', ...named(name) };
}

export function int(name?: string): EntitySchemaColumnOptions {
  return { type: 'int', ...named(name) };
}

/** A 64-bit integer, in rows a decimal string. */
export function bigint(name?: string): EntitySchemaColumnOptions {
  return { type: 'bigint', ...named(name) };
}

/** An instant, in rows a `Date`. */
export function instant(name?: string): EntitySchemaColumnOptions {
  return { type: 'timestamp with time zone', precision: 3, ...named(name) };
}

export function nullable(column: EntitySchemaColumnOptions): EntitySchemaColumnOptions {
  return { ...column, nullable: true };
}

/** A column of the primary key of `table`, whose name PostgreSQL chose. */
export function keyOf(table: string, column: EntitySchemaColumnOptions): EntitySchemaColumnOptions {
  return { ...column, primary: true, primaryKeyConstraintName: `${table}_pkey` };
}

function named(name: string | undefined): EntitySchemaColumnOptions {
  return name === undefined ? {} : { name };
}
