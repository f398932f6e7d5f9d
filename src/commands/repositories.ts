import type { EventStore } from '../event-store/event-store.js';
import type { EventSkippedData } from '../events/projection.events.js';
import { AggregateRepository, type AggregateRepositoryOptions } from './aggregate-repository.js';
import { type CatalogCommand, type CatalogState, catalogDecider } from './catalog.decider.js';
import { type CheckoutCommand, checkoutDecider } from './checkout.decider.js';
import { type CustomerCommand, customerDecider } from './customer.decider.js';
import { type DeadlineCommand, deadlineDecider } from './deadline.decider.js';
import type { LinkableState } from './linkable.js';
import { projectionDecider } from './projection.decider.js';
import type { SeenKeys } from './seen-keys.js';
import { type SubscriptionCommand, subscriptionDecider } from './subscription.decider.js';

/** Writes streams of subscriptions; `prefix` is the setting STREAM_PREFIX. */
export class SubscriptionRepository extends AggregateRepository<LinkableState, SubscriptionCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: AggregateRepositoryOptions,
  ) {
    super(store, subscriptionDecider, options);
  }
}

/** Writes streams of customers. */
export class CustomerRepository extends AggregateRepository<LinkableState, CustomerCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: AggregateRepositoryOptions,
  ) {
    super(store, customerDecider, options);
  }
}

/** Writes streams of checkout sessions. */
export class CheckoutRepository extends AggregateRepository<SeenKeys, CheckoutCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: AggregateRepositoryOptions,
  ) {
    super(store, checkoutDecider, options);
  }
}

/** Writes streams of users' deadlines. */
export class DeadlineRepository extends AggregateRepository<SeenKeys, DeadlineCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: AggregateRepositoryOptions,
  ) {
    super(store, deadlineDecider, options);
  }
}

/** Writes streams of what ops did to projections. */
export class ProjectionRepository extends AggregateRepository<ReadonlySet<string>, EventSkippedData> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: AggregateRepositoryOptions,
  ) {
    super(store, projectionDecider, options);
  }
}

/** Writes the stream of the plan catalogue. */
export class CatalogRepository extends AggregateRepository<CatalogState, CatalogCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: AggregateRepositoryOptions,
  ) {
    super(store, catalogDecider, options);
  }
}

/** Every writer there is. */
export const REPOSITORIES = [
  SubscriptionRepository,
  CustomerRepository,
  CheckoutRepository,
  DeadlineRepository,
  ProjectionRepository,
  CatalogRepository,
] as const;
