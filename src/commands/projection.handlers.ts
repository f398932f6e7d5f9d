import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { projectionStream } from '../events/stream-names.js';
import type { Recorded } from './decider.js';
import { SkipEvent } from './projection.commands.js';
import { ProjectionWriter } from './repositories.js';

@CommandHandler(SkipEvent)
export class SkipEventHandler implements ICommandHandler<SkipEvent, Recorded> {
  constructor(private readonly writer: ProjectionWriter) {}

  execute({ projection, skipped, reason, origin }: SkipEvent): Promise<Recorded> {
    return this.writer.execute({
      stream: projectionStream(this.writer.prefix, projection),
      command: { projection, skipped, reason },
      origin: { ...origin, causation: `skip/${skipped.id}` },
      starts: false,
    });
  }
}
