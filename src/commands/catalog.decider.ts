import type { PlanCatalog } from '../events/catalog.events.js';
import type { Decider } from './decider.js';

/** The catalogues ever published, by hash; `last` is the one that is judged by, `null` before the first. */
export interface CatalogState {
  readonly published: ReadonlySet<string>;
  readonly last: { readonly hash: string; readonly catalog: PlanCatalog } | null;
}

/**
 * `offer` publishes a catalogue only if its hash never was: a known one that is not the last is an old file in a
 * rolling deploy. `publish` makes it the last whatever was before.
 */
export interface CatalogCommand {
  readonly kind: 'offer' | 'publish';
  readonly hash: string;
  readonly catalog: PlanCatalog;
}

export const catalogDecider: Decider<CatalogState, CatalogCommand> = {
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
