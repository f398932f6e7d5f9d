import { Module } from '@nestjs/common';
import { AsOfReader } from '../../audit/as-of/as-of.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { AsOfModule } from '../audit/as-of.module.js';
import { AsOfService } from './as-of.service.js';
import { EntitlementsController } from './entitlements.controller.js';
import { EntitlementsService } from './entitlements.service.js';

/** What users may do now, and could do as of a moment. */
@Module({
  imports: [AsOfModule],
  controllers: [EntitlementsController],
  providers: [
    {
      provide: AsOfService,
      inject: [AsOfReader],
      useFactory: (reader: AsOfReader) => new AsOfService(reader),
    },
    {
      provide: EntitlementsService,
      inject: [PROJECTIONS, LogWatch],
      useFactory: ({ reader, engine, ops }: Projections, logWatch: LogWatch) =>
        new EntitlementsService(reader, engine, ops, logWatch),
    },
  ],
})
export class EntitlementsModule {}
