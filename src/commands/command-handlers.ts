import { OfferPlanCatalogHandler, PublishPlanCatalogHandler } from './catalog.handlers.js';
import { RecordCheckoutEventHandler } from './checkout.handlers.js';
import {
  LinkCustomerHandler,
  RecordCustomerEventHandler,
  UnlinkCustomerHandler,
} from './customer.handlers.js';
import { ReachAccessDeadlineHandler } from './deadline.handlers.js';
import { SkipEventHandler } from './projection.handlers.js';
import {
  LinkSubscriptionHandler,
  RecordRetrievedSubscriptionHandler,
  RecordSubscriptionEventHandler,
  UnlinkSubscriptionHandler,
} from './subscription.handlers.js';

/** Every handler of the write side, to be registered with the CommandBus. */
export const COMMAND_HANDLERS = [
  RecordSubscriptionEventHandler,
  RecordRetrievedSubscriptionHandler,
  LinkSubscriptionHandler,
  UnlinkSubscriptionHandler,
  RecordCustomerEventHandler,
  LinkCustomerHandler,
  UnlinkCustomerHandler,
  RecordCheckoutEventHandler,
  ReachAccessDeadlineHandler,
  OfferPlanCatalogHandler,
  PublishPlanCatalogHandler,
  SkipEventHandler,
];
