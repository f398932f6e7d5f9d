import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { deadlineStream } from '../events/stream-names.js';
import { ReachAccessDeadline } from './deadline.commands.js';
import type { CommandResult } from './decider.js';
import { DeadlineRepository } from './repositories.js';

@CommandHandler(ReachAccessDeadline)
export class ReachAccessDeadlineHandler implements ICommandHandler<ReachAccessDeadline, CommandResult> {
  constructor(private readonly repository: DeadlineRepository) {}

  execute({ userId, at, origin }: ReachAccessDeadline): Promise<CommandResult> {
    const instant = new Date(at).toISOString();
    return this.repository.execute({
      stream: deadlineStream(this.repository.prefix, userId),
      command: { userId, at: instant },
      origin: { ...origin, causation: `${userId}@${instant}` },
      expectsNewStream: false,
    });
  }
}
