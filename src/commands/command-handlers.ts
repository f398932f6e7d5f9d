import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { catalogStream } from '../events/stream-names.js';
import type { CommandResult } from './aggregate.js';
import { RecordAuditAccess } from './audit.aggregate.js';
import { BY_HAND_HANDLERS } from './by-hand.handlers.js';
import {
  type CatalogCommand,
  type CatalogPublished,
  OfferPlanCatalog,
  PublishPlanCatalog,
} from './catalog.aggregate.js';
import { LinkCheckout, RecordCheckoutEvent, UnlinkCheckout } from './checkout.aggregate.js';
import { LinkCustomer, RecordCustomerEvent, UnlinkCustomer } from './customer.aggregate.js';
import { ReachAccessDeadline } from './deadline.aggregate.js';
import { RecordPaymentEvent } from './payment.aggregate.js';
import { RequestPlanChange, WithdrawPlanChange } from './plan-change.aggregate.js';
import { SkipEvent } from './projection.aggregate.js';
import { Repositories } from './repositories.js';
import { LinkSubscription, RecordSubscriptionEvent, UnlinkSubscription } from './subscription.aggregate.js';
import { ReportUsage } from './usage.aggregate.js';

@CommandHandler(RecordSubscriptionEvent)
export class RecordSubscriptionEventHandler
  implements ICommandHandler<RecordSubscriptionEvent, CommandResult>
{
  constructor(private readonly repositories: Repositories) {}

  execute(command: RecordSubscriptionEvent): Promise<CommandResult> {
    return this.repositories.subscriptions.execute(command);
  }
}

@CommandHandler(LinkSubscription)
export class LinkSubscriptionHandler implements ICommandHandler<LinkSubscription, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: LinkSubscription): Promise<CommandResult> {
    return this.repositories.subscriptions.execute(command);
  }
}

@CommandHandler(UnlinkSubscription)
export class UnlinkSubscriptionHandler implements ICommandHandler<UnlinkSubscription, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: UnlinkSubscription): Promise<CommandResult> {
    return this.repositories.subscriptions.execute(command);
  }
}

@CommandHandler(RecordCustomerEvent)
export class RecordCustomerEventHandler implements ICommandHandler<RecordCustomerEvent, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RecordCustomerEvent): Promise<CommandResult> {
    return this.repositories.customers.execute(command);
  }
}

@CommandHandler(LinkCustomer)
export class LinkCustomerHandler implements ICommandHandler<LinkCustomer, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: LinkCustomer): Promise<CommandResult> {
    return this.repositories.customers.execute(command);
  }
}

@CommandHandler(UnlinkCustomer)
export class UnlinkCustomerHandler implements ICommandHandler<UnlinkCustomer, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: UnlinkCustomer): Promise<CommandResult> {
    return this.repositories.customers.execute(command);
  }
}

@CommandHandler(RecordCheckoutEvent)
export class RecordCheckoutEventHandler implements ICommandHandler<RecordCheckoutEvent, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RecordCheckoutEvent): Promise<CommandResult> {
    return this.repositories.checkouts.execute(command);
  }
}

@CommandHandler(LinkCheckout)
export class LinkCheckoutHandler implements ICommandHandler<LinkCheckout, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: LinkCheckout): Promise<CommandResult> {
    return this.repositories.checkouts.execute(command);
  }
}

@CommandHandler(UnlinkCheckout)
export class UnlinkCheckoutHandler implements ICommandHandler<UnlinkCheckout, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: UnlinkCheckout): Promise<CommandResult> {
    return this.repositories.checkouts.execute(command);
  }
}

@CommandHandler(RecordPaymentEvent)
export class RecordPaymentEventHandler implements ICommandHandler<RecordPaymentEvent, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RecordPaymentEvent): Promise<CommandResult> {
    return this.repositories.payments.execute(command);
  }
}

@CommandHandler(RequestPlanChange)
export class RequestPlanChangeHandler implements ICommandHandler<RequestPlanChange, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RequestPlanChange): Promise<CommandResult> {
    return this.repositories.planChanges.execute(command);
  }
}

@CommandHandler(WithdrawPlanChange)
export class WithdrawPlanChangeHandler implements ICommandHandler<WithdrawPlanChange, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: WithdrawPlanChange): Promise<CommandResult> {
    return this.repositories.planChanges.execute(command);
  }
}

@CommandHandler(ReportUsage)
export class ReportUsageHandler implements ICommandHandler<ReportUsage, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: ReportUsage): Promise<CommandResult> {
    return this.repositories.usage.execute(command);
  }
}

@CommandHandler(ReachAccessDeadline)
export class ReachAccessDeadlineHandler implements ICommandHandler<ReachAccessDeadline, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: ReachAccessDeadline): Promise<CommandResult> {
    return this.repositories.deadlines.execute(command);
  }
}

@CommandHandler(SkipEvent)
export class SkipEventHandler implements ICommandHandler<SkipEvent, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: SkipEvent): Promise<CommandResult> {
    return this.repositories.projections.execute(command);
  }
}

@CommandHandler(RecordAuditAccess)
export class RecordAuditAccessHandler implements ICommandHandler<RecordAuditAccess, CommandResult> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: RecordAuditAccess): Promise<CommandResult> {
    return this.repositories.audits.execute(command);
  }
}

@CommandHandler(OfferPlanCatalog)
export class OfferPlanCatalogHandler implements ICommandHandler<OfferPlanCatalog, CatalogPublished> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: OfferPlanCatalog): Promise<CatalogPublished> {
    return publish(this.repositories, command);
  }
}

@CommandHandler(PublishPlanCatalog)
export class PublishPlanCatalogHandler implements ICommandHandler<PublishPlanCatalog, CatalogPublished> {
  constructor(private readonly repositories: Repositories) {}

  execute(command: PublishPlanCatalog): Promise<CatalogPublished> {
    return publish(this.repositories, command);
  }
}

async function publish({ catalog: plans }: Repositories, command: CatalogCommand): Promise<CatalogPublished> {
  const recorded = await plans.execute(command);
  const { hash, catalog } = command;
  if (recorded.outcome === 'applied') {
    return { outcome: 'published', hash, catalog, position: recorded.position };
  }
  const { last } = await plans.stateOf(catalogStream(plans.streamPrefix));
  if (last === null || last.hash === hash) return { outcome: 'current', hash, catalog, position: null };
  return { outcome: 'stale', hash: last.hash, catalog: last.catalog, position: null };
}

/** Every handler of the write side, to be registered with the CommandBus. */
export const COMMAND_HANDLERS = [
  RecordSubscriptionEventHandler,
  LinkSubscriptionHandler,
  UnlinkSubscriptionHandler,
  RecordCustomerEventHandler,
  LinkCustomerHandler,
  UnlinkCustomerHandler,
  RecordCheckoutEventHandler,
  LinkCheckoutHandler,
  UnlinkCheckoutHandler,
  RecordPaymentEventHandler,
  ...BY_HAND_HANDLERS,
  RequestPlanChangeHandler,
  WithdrawPlanChangeHandler,
  ReachAccessDeadlineHandler,
  ReportUsageHandler,
  SkipEventHandler,
  RecordAuditAccessHandler,
  OfferPlanCatalogHandler,
  PublishPlanCatalogHandler,
];
