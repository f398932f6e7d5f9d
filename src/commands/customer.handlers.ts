import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { customerStream } from '../events/stream-names.js';
import { LinkCustomer, RecordCustomerEvent, UnlinkCustomer } from './customer.commands.js';
import type { Recorded } from './decider.js';
import { CustomerWriter } from './repositories.js';

@CommandHandler(RecordCustomerEvent)
export class RecordCustomerEventHandler implements ICommandHandler<RecordCustomerEvent, Recorded> {
  constructor(private readonly writer: CustomerWriter) {}

  execute({ customer, event, origin }: RecordCustomerEvent): Promise<Recorded> {
    return this.writer.execute({
      stream: customerStream(this.writer.prefix, customer),
      command: { kind: 'record', causation: origin.causation, event },
      origin,
      starts: origin.stripe?.eventType === 'customer.created',
    });
  }
}

@CommandHandler(LinkCustomer)
export class LinkCustomerHandler implements ICommandHandler<LinkCustomer, Recorded> {
  constructor(private readonly writer: CustomerWriter) {}

  execute({ customer, userId, reason, origin }: LinkCustomer): Promise<Recorded> {
    return this.writer.execute({
      stream: customerStream(this.writer.prefix, customer),
      command: { kind: 'link', causation: origin.causation, customer, userId, reason },
      origin,
      starts: false,
    });
  }
}

@CommandHandler(UnlinkCustomer)
export class UnlinkCustomerHandler implements ICommandHandler<UnlinkCustomer, Recorded> {
  constructor(private readonly writer: CustomerWriter) {}

  execute({ customer, reason, origin }: UnlinkCustomer): Promise<Recorded> {
    return this.writer.execute({
      stream: customerStream(this.writer.prefix, customer),
      command: { kind: 'unlink', causation: origin.causation, customer, reason },
      origin,
      starts: false,
    });
  }
}
