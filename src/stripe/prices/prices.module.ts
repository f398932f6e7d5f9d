import { Inject, Module, type OnModuleDestroy } from '@nestjs/common';
import type { Pool } from 'pg';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { FailureLog } from '../../http/failure-log.js';
import { GatewayModule, STRIPE_GATEWAY } from '../gateway/gateway.module.js';
import type { StripeGateway } from '../gateway/stripe.gateway.js';
import { SoldPrices } from './sold-prices.js';

/** What the prices that the catalogue names cost. */
@Module({
  imports: [GatewayModule],
  providers: [
    {
      provide: SoldPrices,
      inject: [POOL, STRIPE_GATEWAY, MACHINE_CLOCK, FailureLog],
      useFactory: (pool: Pool, gateway: StripeGateway | null, now: () => number, failures: FailureLog) =>
        new SoldPrices({
          pool,
          gateway,
          now,
          onTrouble: (error) => failures.trouble('prices are as Stripe said before, or not known', error),
        }),
    },
  ],
  exports: [SoldPrices],
})
export class PricesModule implements OnModuleDestroy {
  constructor(@Inject(SoldPrices) private readonly prices: SoldPrices) {}

  async onModuleDestroy(): Promise<void> {
    await this.prices.close();
  }
}
