import { Module } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Pool } from 'pg';
import { Erasures, type ErasuresOptions } from '../../commands/erasures.js';
import { Repositories } from '../../commands/repositories.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK, ServerClock } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';
import { BuyerReader } from '../../projections/read-models/buyer.reader.js';
import { UserFactsReader } from '../../projections/read-models/user-facts.reader.js';
import { UserErasedError } from '../../pseudonyms/errors.js';
import { PairsRepository } from '../../pseudonyms/pairs.repository.js';
import { PSEUDONYMS, type Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import { GatewayModule, STRIPE_GATEWAY } from '../../stripe/gateway/gateway.module.js';
import { PortalConfigurations } from '../../stripe/gateway/portal-configurations.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { PricesModule } from '../../stripe/prices/prices.module.js';
import { SoldPrices } from '../../stripe/prices/sold-prices.js';
import { BeginCheckout } from './begin-checkout.js';
import { CheckoutController } from './checkout.controller.js';
import { CheckoutService, type CheckoutServiceOptions } from './checkout.service.js';
import { CheckoutRecord } from './checkout-record.js';
import { CheckoutStatusService } from './checkout-status.service.js';
import { CustomerOfUser } from './customer-of-user.js';
import { UserLocks } from './user-lock.js';
import { UserLockModule } from './user-lock.module.js';

/** Purchases and upgrades. */
@Module({
  imports: [GatewayModule, PricesModule, UserLockModule],
  controllers: [CheckoutController],
  providers: [
    {
      provide: CheckoutService,
      inject: [
        SETTINGS,
        POOL,
        EVENT_STORE,
        STRIPE_GATEWAY,
        PortalConfigurations,
        CommandBus,
        PROJECTIONS,
        LogWatch,
        SoldPrices,
        UserLocks,
        PSEUDONYMS,
        Repositories,
        ServerClock,
      ],
      useFactory: checkoutService,
    },
    {
      provide: CheckoutStatusService,
      inject: [SETTINGS, POOL, EVENT_STORE, PROJECTIONS, MACHINE_CLOCK],
      useFactory: statusService,
    },
  ],
})
export class CheckoutModule {}

function checkoutService(
  { userIds, livemode, streamPrefix, checkoutUrlOrigins: origins }: Settings,
  pool: Pool,
  store: EventStore,
  gateway: StripeGateway | null,
  configurations: PortalConfigurations | null,
  commands: CommandBus,
  { reader, engine, ops }: Projections,
  logWatch: LogWatch,
  prices: SoldPrices,
  locks: UserLocks,
  pseudonyms: Pseudonyms | null,
  repositories: Repositories,
  clock: ServerClock,
): CheckoutService {
  const buyers = new BuyerReader(pool);
  const beginning =
    gateway === null || configurations === null
      ? null
      : new BeginCheckout({
          gateway,
          configurations,
          customers: new CustomerOfUser({ gateway, commands, reading: { claims: userIds, livemode } }),
          buyers,
          record: new CheckoutRecord({ commands, store, streamPrefix }),
          prices,
          userIds,
        });
  const readmit =
    pseudonyms === null
      ? null
      : readmission({ pseudonyms, pool, repositories, store, now: () => clock.now() });
  return new CheckoutService({
    beginning,
    locks,
    buyers,
    reader,
    engine,
    ops,
    logWatch,
    origins,
    userIds,
    readmit,
  });
}

/** Takes in again whom a mark stands for, for a checkout. */
function readmission({
  pool,
  ...options
}: Omit<ErasuresOptions, 'pairs'> & { readonly pool: Pool }): CheckoutServiceOptions['readmit'] {
  const erasures = new Erasures({ ...options, pairs: new PairsRepository(pool) });
  const { pseudonyms } = options;
  return async (mark, correlationId) => {
    const userId = pseudonyms.erasedIdOf(mark);
    if (userId === null) throw new UserErasedError();
    const origin = { actor: 'service', correlationId, stripe: null };
    // Another request may have been faster.
    return (await erasures.readmit(userId, origin)) ?? pseudonyms.storedOfOne(userId);
  };
}

function statusService(
  { streamPrefix }: Settings,
  pool: Pool,
  store: EventStore,
  { reader, engine, ops }: Projections,
  now: () => number,
): CheckoutStatusService {
  const facts = new UserFactsReader(pool);
  return new CheckoutStatusService({ store, streamPrefix, reader, facts, ops, engine, now });
}
