import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { checkoutStream } from '../events/stream-names.js';
import { RecordCheckoutEvent } from './checkout.commands.js';
import type { CommandResult } from './decider.js';
import { CheckoutRepository } from './repositories.js';

@CommandHandler(RecordCheckoutEvent)
export class RecordCheckoutEventHandler implements ICommandHandler<RecordCheckoutEvent, CommandResult> {
  constructor(private readonly repository: CheckoutRepository) {}

  execute({ session, event, origin }: RecordCheckoutEvent): Promise<CommandResult> {
    return this.repository.execute({
      stream: checkoutStream(this.repository.prefix, session),
      command: { causation: origin.causation, event },
      origin,
      expectsNewStream: origin.stripe?.eventType === 'checkout.session.completed',
    });
  }
}
