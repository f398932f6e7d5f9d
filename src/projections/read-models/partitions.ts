/** Tables that held one partition a generation from the beginning. */
const FIRST_TABLES = [
  'user_role',
  'revocation_version',
  'entitlement_history',
  'subscription',
  'subscription_fact',
  'customer',
  'checkout',
  'plan_catalog',
] as const;

/** Those of what is set aside. */
export const SET_ASIDE_TABLES = ['set_aside_stream', 'faulted_user'] as const;

/** Those by which questions as of a moment are answered. */
export const TWO_CLOCK_TABLES = ['user_stream', 'subscription_customer', 'logical_time'] as const;

/** Those of payments. */
export const PAYMENT_TABLES = ['payment', 'payment_join'] as const;

/** Those of what people give or set by hand. */
export const BY_HAND_TABLES = ['grant', 'override'] as const;

/** That of changes of plan that are to come. */
export const PLAN_CHANGE_TABLES = ['plan_change'] as const;

/** That of what users have in use. */
export const USAGE_TABLES = ['usage'] as const;

/** Tables that hold one partition a generation. */
export const GENERATION_TABLES = [
  ...FIRST_TABLES,
  ...SET_ASIDE_TABLES,
  ...TWO_CLOCK_TABLES,
  ...PAYMENT_TABLES,
  ...BY_HAND_TABLES,
  ...PLAN_CHANGE_TABLES,
  ...USAGE_TABLES,
] as const;

/** The DDL that makes room for `generation` (a positive integer) in the first read models while nobody uses them. */
export function createPartitions(generation: number): readonly string[] {
  checkGeneration(generation);
  return FIRST_TABLES.map(
    (table) =>
      `create table tenure.${partitionOf(table, generation)} partition of tenure.${table} for values in (${generation})`,
  );
}

/**
 * The same while the tables are read and written. `partition of` would wait for every reader and let none pass meanwhile;
 * attaching a table that was made apart does neither (PostgreSQL, "5.12.2.2. Partition Maintenance").
 */
export function attachPartitions(generation: number): readonly string[] {
  checkGeneration(generation);
  return GENERATION_TABLES.flatMap((table) => [
    `create table tenure.${partitionOf(table, generation)} (like tenure.${table} including all)`,
    `alter table tenure.${table} attach partition tenure.${partitionOf(table, generation)} for values in (${generation})`,
  ]);
}

/** Name of the table, in schema `tenure`, that holds a generation of `table`. */
export function partitionOf(table: (typeof GENERATION_TABLES)[number], generation: number): string {
  return `${table}_g${generation}`;
}

function checkGeneration(generation: number): void {
  if (Number.isSafeInteger(generation) && generation >= 1) return;
  throw new RangeError(`a generation is a positive integer, not ${generation}`);
}

/** The statement that gives every generation that has partitions those of `tables`, which are new. */
export function partitionsOfNewTables(tables: readonly string[]): string {
  return `do $$ declare g record; begin
     for g in select substring(c.relname from '^user_role_g(\\d+)$')::int as generation
              from pg_inherits i join pg_class c on c.oid = i.inhrelid
              where i.inhparent = 'tenure.user_role'::regclass loop
       ${tables
         .map(
           (table) =>
             `execute format('create table tenure.${table}_g%1$s partition of tenure.${table} for values in (%1$s)', g.generation);`,
         )
         .join('\n       ')}
     end loop;
   end $$`;
}
