import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { projectionStream } from '../events/stream-names.js';
import type { CommandResult } from './decider.js';
import { SkipEvent } from './projection.commands.js';
import { ProjectionRepository } from './repositories.js';

@CommandHandler(SkipEvent)
export class SkipEventHandler implements ICommandHandler<SkipEvent, CommandResult> {
  constructor(private readonly repository: ProjectionRepository) {}

  execute({ projection, skipped, reason, origin }: SkipEvent): Promise<CommandResult> {
    return this.repository.execute({
      stream: projectionStream(this.repository.prefix, projection),
      command: { projection, skipped, reason },
      origin: { ...origin, causation: `skip/${skipped.id}` },
      expectsNewStream: false,
    });
  }
}
