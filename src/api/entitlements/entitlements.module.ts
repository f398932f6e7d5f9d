import { Module } from '@nestjs/common';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { EntitlementsController } from './entitlements.controller.js';
import { EntitlementsService } from './entitlements.service.js';

/** What users may do now. */
@Module({
  controllers: [EntitlementsController],
  providers: [
    {
      provide: EntitlementsService,
      inject: [PROJECTIONS, LogWatch],
      useFactory: ({ reader, engine, ops }: Projections, logWatch: LogWatch) =>
        new EntitlementsService(reader, engine, ops, logWatch),
    },
  ],
})
export class EntitlementsModule {}
