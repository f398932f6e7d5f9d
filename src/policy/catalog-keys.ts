import type { PlanCatalog } from '../events/catalog.events.js';

/** Keys of the features and of the limits that plans and add-ons of a catalogue have. */
export interface CatalogKeys {
  readonly features: ReadonlySet<string>;
  readonly limits: ReadonlySet<string>;
}

const known = new WeakMap<PlanCatalog, CatalogKeys>();

/** The keys of a catalogue. */
export function keysOf(catalog: PlanCatalog): CatalogKeys {
  const before = known.get(catalog);
  if (before !== undefined) return before;
  const plans = Object.values(catalog.plans);
  const givers = [...plans, ...Object.values(catalog.addons)];
  const keys = {
    features: new Set(givers.flatMap(({ features }) => features)),
    limits: new Set([
      ...givers.flatMap(({ limits }) => Object.keys(limits)),
      ...plans.flatMap(({ perUnit }) => Object.keys(perUnit)),
    ]),
  };
  known.set(catalog, keys);
  return keys;
}

/** What is named so, of a record whose keys people choose: `constructor` does not find what every object inherits. */
export function own<T>(record: Readonly<Record<string, T>>, name: string): T | null {
  return Object.hasOwn(record, name) ? (record[name] ?? null) : null;
}
