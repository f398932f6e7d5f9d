import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { deadlineStream } from '../events/stream-names.js';
import { ReachAccessDeadline } from './deadline.commands.js';
import type { Recorded } from './decider.js';
import { DeadlineWriter } from './repositories.js';

@CommandHandler(ReachAccessDeadline)
export class ReachAccessDeadlineHandler implements ICommandHandler<ReachAccessDeadline, Recorded> {
  constructor(private readonly writer: DeadlineWriter) {}

  execute({ userId, at, origin }: ReachAccessDeadline): Promise<Recorded> {
    const instant = new Date(at).toISOString();
    return this.writer.execute({
      stream: deadlineStream(this.writer.prefix, userId),
      command: { userId, at: instant },
      origin: { ...origin, causation: `${userId}@${instant}` },
      starts: false,
    });
  }
}
