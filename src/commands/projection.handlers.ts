import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { projectionStream } from '../events/stream-names.js';
import type { CommandResult } from './decider.js';
import { SkipEvent } from './projection.commands.js';
import { ProjectionRepository } from './repositories.js';

@CommandHandler(SkipEvent)
export class SkipEventHandler implements ICommandHandler<SkipEvent, CommandResult> {
  constructor(private readonly writer: ProjectionRepository) {}

  execute({ projection, skipped, reason, origin }: SkipEvent): Promise<CommandResult> {
    return this.writer.execute({
      stream: projectionStream(this.writer.prefix, projection),
      command: { projection, skipped, reason },
      origin: { ...origin, causation: `skip/${skipped.id}` },
      expectsNewStream: false,
    });
  }
}
