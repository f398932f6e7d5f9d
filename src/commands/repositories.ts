import type { EventStore } from '../event-store/event-store.js';
import { holdsAddress, type KeptUserIds } from '../events/user-id.js';
import { AggregateRepository, type AggregateRepositoryOptions } from './aggregate-repository.js';
import { auditAggregate } from './audit.aggregate.js';
import { catalogAggregateOf } from './catalog.aggregate.js';
import { checkoutAggregate } from './checkout.aggregate.js';
import { customerAggregate } from './customer.aggregate.js';
import { deadlineAggregate } from './deadline.aggregate.js';
import { erasureAggregate } from './erasure.aggregate.js';
import { grantAggregate } from './grant.aggregate.js';
import { overridesAggregate } from './overrides.aggregate.js';
import { paymentAggregate } from './payment.aggregate.js';
import { planChangeAggregate } from './plan-change.aggregate.js';
import { projectionAggregate } from './projection.aggregate.js';
import { subscriptionAggregate } from './subscription.aggregate.js';
import { usageAggregate } from './usage.aggregate.js';
import { checkPseudonyms, userIdsOfEvent } from './user-ids-of-events.js';

/** What all repositories of a log share; `userIds` left out: as they come. */
export interface RepositoriesOptions extends AggregateRepositoryOptions {
  readonly userIds?: KeptUserIds;
  /** Hears that an event names a user whose id holds what looks like an address of an e-mail. */
  readonly onAddress?: () => void;
}

/** The repositories of every aggregate, on one event store. */
export class Repositories {
  readonly subscriptions;
  readonly customers;
  readonly checkouts;
  readonly payments;
  readonly grants;
  readonly overrides;
  readonly planChanges;
  readonly usage;
  readonly deadlines;
  readonly projections;
  readonly audits;
  readonly catalog;
  readonly erasures;

  constructor(store: EventStore, given: RepositoriesOptions) {
    const options = checked(given);
    this.subscriptions = new AggregateRepository(store, subscriptionAggregate, options);
    this.customers = new AggregateRepository(store, customerAggregate, options);
    this.checkouts = new AggregateRepository(store, checkoutAggregate, options);
    this.payments = new AggregateRepository(store, paymentAggregate, options);
    this.grants = new AggregateRepository(store, grantAggregate, options);
    this.overrides = new AggregateRepository(store, overridesAggregate, options);
    this.usage = new AggregateRepository(store, usageAggregate, options);
    this.planChanges = new AggregateRepository(store, planChangeAggregate, options);
    this.deadlines = new AggregateRepository(store, deadlineAggregate, options);
    this.projections = new AggregateRepository(store, projectionAggregate, options);
    this.audits = new AggregateRepository(store, auditAggregate, options);
    this.catalog = new AggregateRepository(
      store,
      catalogAggregateOf(options.userIds ?? 'as_they_are'),
      options,
    );
    this.erasures = new AggregateRepository(store, erasureAggregate, options);
  }

  /** Drops what all of them have in memory: the log may have lost it. */
  forget(): void {
    const { subscriptions, customers, checkouts, payments, grants, overrides } = this;
    const { usage, planChanges, deadlines, projections, audits, catalog, erasures } = this;
    for (const each of [
      subscriptions,
      customers,
      checkouts,
      payments,
      grants,
      overrides,
      planChanges,
      usage,
      deadlines,
      projections,
      audits,
      catalog,
      erasures,
    ])
      each.forget();
  }
}

function checked({ userIds, onAddress, ...options }: RepositoriesOptions): RepositoriesOptions {
  if (userIds === 'pseudonyms') return { ...options, userIds, checkEvent: checkPseudonyms };
  if (onAddress === undefined) return options;
  return {
    ...options,
    checkEvent: (event) => {
      if (userIdsOfEvent(event).some(holdsAddress)) onAddress();
    },
  };
}
