import { Module } from '@nestjs/common';
import { AuthModule } from '../../auth/auth.module.js';
import { StreamTickets } from '../../auth/stream-tickets.js';
import { PROJECTIONS } from '../../projections/projections.js';
import { EntitlementsModule } from '../entitlements/entitlements.module.js';
import { EntitlementsService } from '../entitlements/entitlements.service.js';
import { EventStreamController } from './event-stream.controller.js';
import { OfrepController } from './ofrep.controller.js';
import { OfrepService } from './ofrep.service.js';

/** Features and limits as flags of OpenFeature. */
@Module({
  imports: [AuthModule, EntitlementsModule],
  controllers: [EventStreamController, OfrepController],
  providers: [
    {
      provide: OfrepService,
      inject: [EntitlementsService, PROJECTIONS, StreamTickets],
      useFactory: (...parts: ConstructorParameters<typeof OfrepService>) => new OfrepService(...parts),
    },
  ],
})
export class OfrepModule {}
