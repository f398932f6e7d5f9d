import { Module } from '@nestjs/common';
import { AccessControl } from '../../auth/access-control.js';
import { AuthModule } from '../../auth/auth.module.js';
import { EntitlementTokens } from '../../tokens/entitlement-token.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { EntitlementsModule } from '../entitlements/entitlements.module.js';
import { EntitlementsService } from '../entitlements/entitlements.service.js';
import { AccessController } from './access.controller.js';
import { AccessCheck } from './access-check.js';
import { AuthZenService } from './authzen.service.js';

/** Whether a request may pass: for proxies, and by OpenID AuthZEN. */
@Module({
  imports: [AuthModule, TokensModule, EntitlementsModule],
  controllers: [AccessController],
  providers: [
    {
      provide: AuthZenService,
      inject: [EntitlementsService],
      useFactory: (entitlements: EntitlementsService) => new AuthZenService(entitlements),
    },
    {
      provide: AccessCheck,
      inject: [AccessControl, EntitlementTokens, EntitlementsService],
      useFactory: (access: AccessControl, tokens: EntitlementTokens, entitlements: EntitlementsService) =>
        new AccessCheck({ access, tokens, entitlements }),
    },
  ],
})
export class AccessModule {}
