import type { PlanCatalog } from '../events/catalog.events.js';
import type { Origin } from './decider.js';

/** Publish a catalogue unless its hash ever was: what a service does at its start. */
export class OfferPlanCatalog {
  constructor(
    readonly catalog: PlanCatalog,
    readonly hash: string,
    readonly origin: Origin,
  ) {}
}

/** Publish a catalogue whatever was before, unless it is the last one already. */
export class PublishPlanCatalog {
  constructor(
    readonly catalog: PlanCatalog,
    readonly hash: string,
    readonly origin: Origin,
  ) {}
}

/**
 * What came of it. `stale`: the catalogue is known and was followed by another one, which stays in force. `last` is
 * the catalogue in force, `position` that of its event when this call appended it.
 */
export interface CatalogPublished {
  readonly outcome: 'published' | 'current' | 'stale';
  readonly hash: string;
  readonly catalog: PlanCatalog;
  readonly position: string | null;
}
