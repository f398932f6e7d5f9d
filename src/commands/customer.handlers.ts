import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { customerStream } from '../events/stream-names.js';
import { LinkCustomer, RecordCustomerEvent, UnlinkCustomer } from './customer.commands.js';
import type { CommandResult } from './decider.js';
import { CustomerRepository } from './repositories.js';

@CommandHandler(RecordCustomerEvent)
export class RecordCustomerEventHandler implements ICommandHandler<RecordCustomerEvent, CommandResult> {
  constructor(private readonly repository: CustomerRepository) {}

  execute({ customer, event, origin }: RecordCustomerEvent): Promise<CommandResult> {
    return this.repository.execute({
      stream: customerStream(this.repository.prefix, customer),
      command: { kind: 'record', causation: origin.causation, event },
      origin,
      expectsNewStream: origin.stripe?.eventType === 'customer.created',
    });
  }
}

@CommandHandler(LinkCustomer)
export class LinkCustomerHandler implements ICommandHandler<LinkCustomer, CommandResult> {
  constructor(private readonly repository: CustomerRepository) {}

  execute({ customer, userId, reason, origin }: LinkCustomer): Promise<CommandResult> {
    return this.repository.execute({
      stream: customerStream(this.repository.prefix, customer),
      command: { kind: 'link', causation: origin.causation, customer, userId, reason },
      origin,
      expectsNewStream: false,
    });
  }
}

@CommandHandler(UnlinkCustomer)
export class UnlinkCustomerHandler implements ICommandHandler<UnlinkCustomer, CommandResult> {
  constructor(private readonly repository: CustomerRepository) {}

  execute({ customer, reason, origin }: UnlinkCustomer): Promise<CommandResult> {
    return this.repository.execute({
      stream: customerStream(this.repository.prefix, customer),
      command: { kind: 'unlink', causation: origin.causation, customer, reason },
      origin,
      expectsNewStream: false,
    });
  }
}
