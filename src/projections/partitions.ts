/** Tables that hold one partition a generation. */
export const GENERATION_TABLES = [
  'user_role',
  'revocation_version',
  'entitlement_history',
  'subscription',
  'subscription_fact',
  'customer',
  'checkout',
  'plan_catalog',
] as const;

/** The DDL that makes room for `generation` (a positive integer) in every read model. */
export function createPartitions(generation: number): readonly string[] {
  if (!Number.isSafeInteger(generation) || generation < 1) {
    throw new RangeError(`a generation is a positive integer, not ${generation}`);
  }
  return GENERATION_TABLES.map(
    (table) =>
      `create table tenure.${table}_g${generation} partition of tenure.${table} for values in (${generation})`,
  );
}
