import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { BuyerReader } from '../../projections/read-models/buyer.reader.js';
import { UserFactsReader } from '../../projections/read-models/user-facts.reader.js';
import { GatewayModule, STRIPE_GATEWAY } from '../../stripe/gateway/gateway.module.js';
import { PortalConfigurations } from '../../stripe/gateway/portal-configurations.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { PortalController } from './portal.controller.js';
import { PortalService } from './portal.service.js';

/** Ways into Stripe's customer portal. */
@Module({
  imports: [GatewayModule],
  controllers: [PortalController],
  providers: [
    {
      provide: PortalService,
      inject: [PROJECTIONS, POOL, STRIPE_GATEWAY, PortalConfigurations, SETTINGS],
      useFactory: (
        { reader }: Projections,
        pool: Pool,
        gateway: StripeGateway | null,
        configurations: PortalConfigurations | null,
        { checkoutUrlOrigins: origins }: Settings,
      ) =>
        new PortalService({
          reader,
          facts: new UserFactsReader(pool),
          buyers: new BuyerReader(pool),
          gateway,
          configurations,
          origins,
        }),
    },
  ],
})
export class PortalModule {}
