import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { LOGGER, type Logger } from '../../observability/logger.js';
import { BulkLinks } from './bulk-links.js';
import { LinksController } from './links.controller.js';

/** Whose customers and subscriptions are, as ops say. */
@Module({
  controllers: [LinksController],
  providers: [
    {
      provide: BulkLinks,
      inject: [CommandBus, LOGGER],
      useFactory: (commands: CommandBus, logger: Logger) => new BulkLinks(commands, logger),
    },
  ],
})
export class LinksModule {}
