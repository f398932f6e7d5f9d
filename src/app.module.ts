import { type DynamicModule, Module } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import { AccessModule } from './api/access/access.module.js';
import { AuditModule } from './api/audit/audit.module.js';
import { AuditLogModule } from './api/audit-log/audit-log.module.js';
import { CheckoutModule } from './api/checkout/checkout.module.js';
import { EntitlementsModule } from './api/entitlements/entitlements.module.js';
import { UsageModule } from './api/features/usage.module.js';
import { GrantsModule } from './api/grants/grants.module.js';
import { HealthModule } from './api/health/health.module.js';
import { LinksModule } from './api/links/links.module.js';
import { OfrepModule } from './api/ofrep/ofrep.module.js';
import { OpsModule } from './api/ops/ops.module.js';
import { PlansModule } from './api/plans/plans.module.js';
import { PortalModule } from './api/portal/portal.module.js';
import { RevocationsModule } from './api/revocations/revocations.module.js';
import { TokensApiModule } from './api/tokens/tokens.module.js';
import { UsersModule } from './api/users/users.module.js';
import { AuthModule } from './auth/auth.module.js';
import { CommandsModule } from './commands/commands.module.js';
import { DeadlinesModule } from './deadlines/deadlines.module.js';
import { ReactionsModule } from './reactions/reactions.module.js';
import { type AppParts, partsModule } from './start/parts.module.js';
import { ReconciliationModule } from './stripe/reconciliation/reconciliation.module.js';
import { WebhooksModule } from './webhooks/webhooks.module.js';

@Module({})
class AppModule {}

/** The application: commands, webhooks and API over the stores it is given. */
export function appModule(parts: AppParts): DynamicModule {
  return {
    module: AppModule,
    imports: [
      CqrsModule.forRoot(),
      partsModule(parts),
      AuthModule,
      CommandsModule,
      ReconciliationModule,
      DeadlinesModule,
      ReactionsModule,
      WebhooksModule,
      EntitlementsModule,
      RevocationsModule,
      UsersModule,
      UsageModule,
      CheckoutModule,
      PlansModule,
      PortalModule,
      TokensApiModule,
      AccessModule,
      OfrepModule,
      GrantsModule,
      LinksModule,
      AuditModule,
      AuditLogModule,
      OpsModule,
      HealthModule,
    ],
  };
}
