import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { FailureLog } from '../../http/failure-log.js';
import { BulkLinks } from './bulk-links.js';
import { LinksController } from './links.controller.js';

/** Whose customers and subscriptions are, as ops say. */
@Module({
  controllers: [LinksController],
  providers: [
    {
      provide: BulkLinks,
      inject: [CommandBus, FailureLog],
      useFactory: (commands: CommandBus, failures: FailureLog) => new BulkLinks(commands, failures),
    },
  ],
})
export class LinksModule {}
