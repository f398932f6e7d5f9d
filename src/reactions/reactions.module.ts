import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AuthModule } from '../auth/auth.module.js';
import { SEALED_SECRETS, type SealedSecrets } from '../auth/sealed-secrets.js';
import { type MailSettings, SETTINGS, type Settings } from '../config/settings.js';
import { DATABASE_URL, POOL } from '../database/database.js';
import { MACHINE_CLOCK, ServerClock } from '../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../event-store/event-store.js';
import { FailureLog } from '../http/failure-log.js';
import { Metrics } from '../observability/metrics.js';
import { VERSION } from '../observability/version.js';
import { watchReactions } from '../observability/watched-gauges.js';
import { LogWatch } from '../projections/engine/log-watch.js';
import { PSEUDONYMS, type Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { GatewayModule, STRIPE_GATEWAY } from '../stripe/gateway/gateway.module.js';
import type { StripeGateway } from '../stripe/gateway/stripe.gateway.js';
import { CheckoutReaction } from './checkout/checkout.reaction.js';
import { findJobs } from './event-trigger.js';
import { type Mailing, MailReaction } from './mail/mail.reaction.js';
import { Mailer } from './mail/mailer.js';
import { readTemplates } from './mail/templates.js';
import type { Reaction } from './reaction.js';
import { Reactor } from './reactor.js';
import type { Endpoint } from './webhooks/endpoint.js';
import { EndpointRepository } from './webhooks/endpoint.repository.js';
import { SOURCE } from './webhooks/envelope.js';
import { MessageSender } from './webhooks/sender.js';
import { WebhooksReaction } from './webhooks/webhooks.reaction.js';

/** DI token of everything that follows what happened: see `Reaction` for how to add one. */
export const REACTIONS = Symbol('REACTIONS');

/** What follows what happened, once it is folded. */
@Module({
  imports: [AuthModule, GatewayModule],
  providers: [
    {
      provide: REACTIONS,
      inject: [
        SETTINGS,
        EVENT_STORE,
        STRIPE_GATEWAY,
        POOL,
        EndpointRepository,
        MessageSender,
        MACHINE_CLOCK,
        Metrics,
        FailureLog,
        PSEUDONYMS,
      ],
      useFactory: reactionsOf,
    },
    {
      provide: EndpointRepository,
      inject: [POOL, SEALED_SECRETS, ServerClock],
      useFactory: (pool: Pool, secrets: SealedSecrets, clock: ServerClock) =>
        new EndpointRepository({ pool, secrets, now: () => clock.now() }),
    },
    {
      provide: MessageSender,
      inject: [SETTINGS, EndpointRepository, PSEUDONYMS],
      useFactory: (
        { webhookAddresses: addresses }: Settings,
        endpoints: EndpointRepository,
        pseudonyms: Pseudonyms | null,
      ) => new MessageSender({ addresses, endpoints, pseudonyms, version: VERSION }),
    },
    {
      provide: Reactor,
      inject: [REACTIONS, POOL, DATABASE_URL, EVENT_STORE, LogWatch, Metrics, FailureLog],
      useFactory: reactor,
    },
  ],
  exports: [Reactor, EndpointRepository, MessageSender],
})
export class ReactionsModule {}

/** The reactions there are; what they need to act outside they find, or sleep. */
function reactionsOf(
  { streamPrefix, mail }: Settings,
  store: EventStore,
  gateway: StripeGateway | null,
  pool: Pool,
  endpoints: EndpointRepository,
  sender: MessageSender,
  now: () => number,
  metrics: Metrics,
  failures: FailureLog,
  pseudonyms: Pseudonyms | null,
): readonly Reaction[] {
  const onGone = ({ id: endpoint }: Endpoint, err: unknown): void =>
    failures.trouble('a receiver of webhooks is gone and its endpoint paused', err, { endpoint });
  return [
    new CheckoutReaction({ gateway, store, streamPrefix }),
    new WebhooksReaction({ pool, store, streamPrefix, endpoints, sender, findJobs, source: SOURCE, onGone }),
    new MailReaction({
      mailing: mail === null ? null : mailingOf(mail),
      gateway,
      findJobs,
      pseudonyms,
      now,
      onOutcome: (kind, outcome) => metrics.mail(kind, outcome),
    }),
  ];
}

/** @throws InvalidTemplatesError */
function mailingOf({ smtpUrl, from, templates }: MailSettings): Mailing {
  return { mailer: new Mailer(smtpUrl, from), templates: readTemplates(templates) };
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
