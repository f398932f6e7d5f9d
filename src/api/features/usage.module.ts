import { Module } from '@nestjs/common';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { CurrentCatalog, UsageController } from './usage.controller.js';

/** Reports of usage. */
@Module({
  controllers: [UsageController],
  providers: [
    {
      provide: CurrentCatalog,
      inject: [PROJECTIONS],
      useFactory: ({ ops }: Projections): CurrentCatalog => ops,
    },
  ],
})
export class UsageModule {}
