import type { EventStore } from '../event-store/event-store.js';
import type { EventSkippedData } from '../events/projection.events.js';
import { StreamWriter, type StreamWriterOptions } from './aggregate-repository.js';
import { type CatalogCommand, type CatalogState, catalogDecider } from './catalog.decider.js';
import { type CheckoutCommand, checkoutDecider } from './checkout.decider.js';
import { type CustomerCommand, customerDecider } from './customer.decider.js';
import { type DeadlineCommand, deadlineDecider } from './deadline.decider.js';
import type { LinkableState } from './linkable.js';
import { projectionDecider } from './projection.decider.js';
import type { SeenKeys } from './seen-keys.js';
import { type SubscriptionCommand, subscriptionDecider } from './subscription.decider.js';

/** Writes streams of subscriptions; `prefix` is the setting STREAM_PREFIX. */
export class SubscriptionWriter extends StreamWriter<LinkableState, SubscriptionCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: StreamWriterOptions,
  ) {
    super(store, subscriptionDecider, options);
  }
}

/** Writes streams of customers. */
export class CustomerWriter extends StreamWriter<LinkableState, CustomerCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: StreamWriterOptions,
  ) {
    super(store, customerDecider, options);
  }
}

/** Writes streams of checkout sessions. */
export class CheckoutWriter extends StreamWriter<SeenKeys, CheckoutCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: StreamWriterOptions,
  ) {
    super(store, checkoutDecider, options);
  }
}

/** Writes streams of users' deadlines. */
export class DeadlineWriter extends StreamWriter<SeenKeys, DeadlineCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: StreamWriterOptions,
  ) {
    super(store, deadlineDecider, options);
  }
}

/** Writes streams of what ops did to projections. */
export class ProjectionWriter extends StreamWriter<ReadonlySet<string>, EventSkippedData> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: StreamWriterOptions,
  ) {
    super(store, projectionDecider, options);
  }
}

/** Writes the stream of the plan catalogue. */
export class CatalogWriter extends StreamWriter<CatalogState, CatalogCommand> {
  constructor(
    store: EventStore,
    readonly prefix: string,
    options?: StreamWriterOptions,
  ) {
    super(store, catalogDecider, options);
  }
}

/** Every writer there is. */
export const WRITERS = [
  SubscriptionWriter,
  CustomerWriter,
  CheckoutWriter,
  DeadlineWriter,
  ProjectionWriter,
  CatalogWriter,
] as const;
