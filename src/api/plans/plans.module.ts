import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { POOL } from '../../database/database.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { UsageReader } from '../../projections/read-models/usage.reader.js';
import { GatewayModule, STRIPE_GATEWAY } from '../../stripe/gateway/gateway.module.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { PricesModule } from '../../stripe/prices/prices.module.js';
import { SoldPrices } from '../../stripe/prices/sold-prices.js';
import { UserLocks } from '../checkout/user-lock.js';
import { UserLockModule } from '../checkout/user-lock.module.js';
import { PlanChangeController } from './plan-change.controller.js';
import { PlanChangeService } from './plan-change.service.js';
import { OfferedPlansController } from './plans.controller.js';

/** What can be bought, and changes to less of it. */
@Module({
  imports: [GatewayModule, PricesModule, UserLockModule],
  controllers: [OfferedPlansController, PlanChangeController],
  providers: [
    {
      provide: PlanChangeService,
      inject: [POOL, STRIPE_GATEWAY, PROJECTIONS, LogWatch, SoldPrices, CommandBus, UserLocks],
      useFactory: (
        pool: Pool,
        gateway: StripeGateway | null,
        { reader, engine, ops }: Projections,
        logWatch: LogWatch,
        prices: SoldPrices,
        commands: CommandBus,
        locks: UserLocks,
      ) =>
        new PlanChangeService({
          gateway,
          reader,
          engine,
          logWatch,
          ops,
          prices,
          locks,
          commands,
          usage: new UsageReader(pool),
        }),
    },
  ],
})
export class PlansModule {}
