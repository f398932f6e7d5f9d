import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { checkoutStream } from '../events/stream-names.js';
import { RecordCheckoutEvent } from './checkout.commands.js';
import type { Recorded } from './decider.js';
import { CheckoutWriter } from './repositories.js';

@CommandHandler(RecordCheckoutEvent)
export class RecordCheckoutEventHandler implements ICommandHandler<RecordCheckoutEvent, Recorded> {
  constructor(private readonly writer: CheckoutWriter) {}

  execute({ session, event, origin }: RecordCheckoutEvent): Promise<Recorded> {
    return this.writer.execute({
      stream: checkoutStream(this.writer.prefix, session),
      command: { causation: origin.causation, event },
      origin,
      starts: origin.stripe?.eventType === 'checkout.session.completed',
    });
  }
}
