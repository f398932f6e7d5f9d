import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { subscriptionStream } from '../events/stream-names.js';
import type { Recorded } from './decider.js';
import { SubscriptionWriter } from './repositories.js';
import {
  LinkSubscription,
  RecordRetrievedSubscription,
  RecordSubscriptionEvent,
  UnlinkSubscription,
} from './subscription.commands.js';

@CommandHandler(RecordSubscriptionEvent)
export class RecordSubscriptionEventHandler implements ICommandHandler<RecordSubscriptionEvent, Recorded> {
  constructor(private readonly writer: SubscriptionWriter) {}

  execute({ subscription, event, origin }: RecordSubscriptionEvent): Promise<Recorded> {
    return this.writer.execute({
      stream: subscriptionStream(this.writer.prefix, subscription),
      command: { kind: 'record', causation: origin.causation, event },
      origin,
      starts: origin.stripe?.eventType === 'customer.subscription.created',
    });
  }
}

@CommandHandler(RecordRetrievedSubscription)
export class RecordRetrievedSubscriptionHandler
  implements ICommandHandler<RecordRetrievedSubscription, Recorded>
{
  constructor(private readonly writer: SubscriptionWriter) {}

  execute({ data, origin }: RecordRetrievedSubscription): Promise<Recorded> {
    return this.writer.execute({
      stream: subscriptionStream(this.writer.prefix, data.subscription),
      command: { kind: 'retrieved', causation: origin.causation, data },
      origin,
      starts: false,
    });
  }
}

@CommandHandler(LinkSubscription)
export class LinkSubscriptionHandler implements ICommandHandler<LinkSubscription, Recorded> {
  constructor(private readonly writer: SubscriptionWriter) {}

  execute({ subscription, userId, reason, origin }: LinkSubscription): Promise<Recorded> {
    return this.writer.execute({
      stream: subscriptionStream(this.writer.prefix, subscription),
      command: { kind: 'link', causation: origin.causation, subscription, userId, reason },
      origin,
      starts: false,
    });
  }
}

@CommandHandler(UnlinkSubscription)
export class UnlinkSubscriptionHandler implements ICommandHandler<UnlinkSubscription, Recorded> {
  constructor(private readonly writer: SubscriptionWriter) {}

  execute({ subscription, reason, origin }: UnlinkSubscription): Promise<Recorded> {
    return this.writer.execute({
      stream: subscriptionStream(this.writer.prefix, subscription),
      command: { kind: 'unlink', causation: origin.causation, subscription, reason },
      origin,
      starts: false,
    });
  }
}
