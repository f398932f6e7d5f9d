import type { Entitlement } from '../../policy/entitlement.js';

/** A part of a snapshot that is another one than before. */
export interface Change {
  readonly field: keyof Entitlement;
  readonly before: unknown;
  readonly after: unknown;
}

/** The parts of a snapshot that differ from the one before, in the order of the snapshot. */
export function changesBetween(before: Entitlement, after: Entitlement): readonly Change[] {
  const fields = Object.keys(after) as readonly (keyof Entitlement)[];
  return fields.flatMap((field) =>
    JSON.stringify(before[field]) === JSON.stringify(after[field])
      ? []
      : [{ field, before: before[field], after: after[field] }],
  );
}
