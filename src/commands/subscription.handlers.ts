import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { subscriptionStream } from '../events/stream-names.js';
import type { CommandResult } from './decider.js';
import { SubscriptionRepository } from './repositories.js';
import {
  LinkSubscription,
  RecordRetrievedSubscription,
  RecordSubscriptionEvent,
  UnlinkSubscription,
} from './subscription.commands.js';

@CommandHandler(RecordSubscriptionEvent)
export class RecordSubscriptionEventHandler
  implements ICommandHandler<RecordSubscriptionEvent, CommandResult>
{
  constructor(private readonly repository: SubscriptionRepository) {}

  execute({ subscription, event, origin }: RecordSubscriptionEvent): Promise<CommandResult> {
    return this.repository.execute({
      stream: subscriptionStream(this.repository.prefix, subscription),
      command: { kind: 'record', causation: origin.causation, event },
      origin,
      expectsNewStream: origin.stripe?.eventType === 'customer.subscription.created',
    });
  }
}

@CommandHandler(RecordRetrievedSubscription)
export class RecordRetrievedSubscriptionHandler
  implements ICommandHandler<RecordRetrievedSubscription, CommandResult>
{
  constructor(private readonly repository: SubscriptionRepository) {}

  execute({ data, origin }: RecordRetrievedSubscription): Promise<CommandResult> {
    return this.repository.execute({
      stream: subscriptionStream(this.repository.prefix, data.subscription),
      command: { kind: 'retrieved', causation: origin.causation, data },
      origin,
      expectsNewStream: false,
    });
  }
}

@CommandHandler(LinkSubscription)
export class LinkSubscriptionHandler implements ICommandHandler<LinkSubscription, CommandResult> {
  constructor(private readonly repository: SubscriptionRepository) {}

  execute({ subscription, userId, reason, origin }: LinkSubscription): Promise<CommandResult> {
    return this.repository.execute({
      stream: subscriptionStream(this.repository.prefix, subscription),
      command: { kind: 'link', causation: origin.causation, subscription, userId, reason },
      origin,
      expectsNewStream: false,
    });
  }
}

@CommandHandler(UnlinkSubscription)
export class UnlinkSubscriptionHandler implements ICommandHandler<UnlinkSubscription, CommandResult> {
  constructor(private readonly repository: SubscriptionRepository) {}

  execute({ subscription, reason, origin }: UnlinkSubscription): Promise<CommandResult> {
    return this.repository.execute({
      stream: subscriptionStream(this.repository.prefix, subscription),
      command: { kind: 'unlink', causation: origin.causation, subscription, reason },
      origin,
      expectsNewStream: false,
    });
  }
}
