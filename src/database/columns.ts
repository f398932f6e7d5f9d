import type { EntitySchemaColumnOptions } from 'typeorm';

/** Schema of the read models and of the engine's bookkeeping. */
export const SCHEMA = 'tenure';

type Column = EntitySchemaColumnOptions;

/** Columns as the migrations make them; `name` is the column's name in the database, where it differs. */
export function text(name?: string): Column {
  return named({ type: 'text' }, name);
}

/** An id, ordered by code point on every machine. */
export function idText(name?: string): Column {
  return named({ type: 'text', collation: 'C' }, name);
}

/** A boolean that is false unless said otherwise. */
export function flag(name?: string): Column {
  return named({ type: 'boolean', default: false }, name);
}

export function int(name?: string): Column {
  return named({ type: 'int' }, name);
}

/** A 64-bit integer, in rows a decimal string. */
export function bigint(name?: string): Column {
  return named({ type: 'bigint' }, name);
}

/** An instant, in rows a `Date`. */
export function instant(name?: string): Column {
  return named({ type: 'timestamp with time zone', precision: 3 }, name);
}

export function nullable(column: Column): Column {
  return { ...column, nullable: true };
}

/** A column of the primary key of `table`, whose name PostgreSQL chose. */
export function keyOf(table: string, column: Column): Column {
  return { ...column, primary: true, primaryKeyConstraintName: `${table}_pkey` };
}

function named(column: Column, name: string | undefined): Column {
  return name === undefined ? column : { ...column, name };
}
