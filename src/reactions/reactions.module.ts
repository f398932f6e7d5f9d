import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../config/settings.js';
import { DATABASE_URL, POOL } from '../database/database.js';
import { EVENT_STORE, type EventStore } from '../event-store/event-store.js';
import { FailureLog } from '../http/failure-log.js';
import { Metrics } from '../observability/metrics.js';
import { watchReactions } from '../observability/watched-gauges.js';
import { LogWatch } from '../projections/engine/log-watch.js';
import { GatewayModule, STRIPE_GATEWAY } from '../stripe/gateway/gateway.module.js';
import type { StripeGateway } from '../stripe/gateway/stripe.gateway.js';
import { CheckoutReaction } from './checkout/checkout.reaction.js';
import type { Reaction } from './reaction.js';
import { Reactor } from './reactor.js';

/** DI token of everything that follows what happened: see `Reaction` for how to add one. */
export const REACTIONS = Symbol('REACTIONS');

/** What follows what happened, once it is folded. */
@Module({
  imports: [GatewayModule],
  providers: [
    { provide: REACTIONS, inject: [SETTINGS, EVENT_STORE, STRIPE_GATEWAY], useFactory: reactionsOf },
    {
      provide: Reactor,
      inject: [REACTIONS, POOL, DATABASE_URL, EVENT_STORE, LogWatch, Metrics, FailureLog],
      useFactory: reactor,
    },
  ],
  exports: [Reactor],
})
export class ReactionsModule {}

/** The reactions there are; what they need to act outside they find, or sleep. */
function reactionsOf(
  { streamPrefix }: Settings,
  store: EventStore,
  gateway: StripeGateway | null,
): readonly Reaction[] {
  return [new CheckoutReaction({ gateway, store, streamPrefix })];
}

function reactor(
  reactions: readonly Reaction[],
  pool: Pool,
  url: string,
  store: EventStore,
  logWatch: LogWatch,
  metrics: Metrics,
  failures: FailureLog,
): Reactor {
  const made = new Reactor({
    pool,
    url,
    store,
    reactions,
    isLogKnown: () => logWatch.replaced === null,
    metrics,
    onTrouble: (reaction, err) =>
      failures.trouble('a reaction had trouble and goes on later', err, { reaction }),
  });
  watchReactions(metrics, () => made.counts);
  return made;
}
