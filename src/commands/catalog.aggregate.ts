import type { PlanCatalog } from '../events/catalog.events.js';
import { catalogStream } from '../events/stream-names.js';
import type { KeptUserIds } from '../events/user-id.js';
import type { Aggregate, Origin } from './aggregate.js';

/** Publish a catalogue unless its hash ever was: a known one that is not the last is an old file in a rolling deploy. */
export class OfferPlanCatalog {
  readonly kind = 'offer';
  constructor(
    readonly catalog: PlanCatalog,
    readonly hash: string,
    readonly origin: Origin,
  ) {}
}

/** Publish a catalogue whatever was before, unless it is the last one already. */
export class PublishPlanCatalog {
  readonly kind = 'publish';
  constructor(
    readonly catalog: PlanCatalog,
    readonly hash: string,
    readonly origin: Origin,
  ) {}
}

export type CatalogCommand = OfferPlanCatalog | PublishPlanCatalog;

/**
 * What came of it. `stale`: the catalogue is known and was followed by another one, which stays in force. `catalog` is
 * the one in force, `position` that of its event when this call appended it.
 */
export interface CatalogPublished {
  readonly outcome: 'published' | 'current' | 'stale';
  readonly hash: string;
  readonly catalog: PlanCatalog;
  readonly position: string | null;
}

/** The hashes ever published; `last` is the catalogue that is judged by, `null` before the first. */
export interface CatalogState {
  readonly published: ReadonlySet<string>;
  readonly last: { readonly hash: string; readonly catalog: PlanCatalog } | null;
}

/** The catalogue of a log; the first that is published says so where user ids are pseudonyms. */
export function catalogAggregateOf(userIds: KeptUserIds): Aggregate<CatalogState, CatalogCommand> {
  if (userIds === 'as_they_are') return catalogAggregate;
  return {
    ...catalogAggregate,
    decide: (state, command) => {
      const [event] = catalogAggregate.decide(state, command);
      if (event?.type !== 'PlanCatalogPublished') return [];
      return state.last === null ? [{ ...event, data: { ...event.data, pseudonyms: true } }] : [event];
    },
  };
}

export const catalogAggregate: Aggregate<CatalogState, CatalogCommand> = {
  streamOf: catalogStream,
  expectsNewStream: () => false,
  initial: { published: new Set(), last: null },
  evolve: (state, { event }) =>
    event.type === 'PlanCatalogPublished'
      ? { published: new Set(state.published).add(event.data.hash), last: event.data }
      : state,
  knows: () => false,
  decide: (state, { kind, hash, catalog }) => {
    const known = kind === 'offer' ? state.published.has(hash) : state.last?.hash === hash;
    return known ? [] : [{ type: 'PlanCatalogPublished', data: { hash, catalog } }];
  },
};
