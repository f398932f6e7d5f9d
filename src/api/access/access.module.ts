import { Module } from '@nestjs/common';
import { AccessControl } from '../../auth/access-control.js';
import { AuthModule } from '../../auth/auth.module.js';
import { PSEUDONYMS, type Pseudonyms } from '../../pseudonyms/pseudonyms.js';
import { EntitlementTokens } from '../../tokens/entitlement-token.js';
import { TokensModule } from '../../tokens/tokens.module.js';
import { EntitlementsModule } from '../entitlements/entitlements.module.js';
import { EntitlementsService } from '../entitlements/entitlements.service.js';
import { RequestEdge } from '../pseudonyms/request-edge.js';
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
      inject: [AccessControl, EntitlementTokens, EntitlementsService, PSEUDONYMS],
      useFactory: (
        access: AccessControl,
        tokens: EntitlementTokens,
        entitlements: EntitlementsService,
        pseudonyms: Pseudonyms | null,
      ) => {
        const edge = pseudonyms === null ? null : new RequestEdge(pseudonyms);
        const stored = edge === null ? null : (userId: string) => edge.stored(userId);
        return new AccessCheck({ access, tokens, entitlements, stored });
      },
    },
  ],
})
export class AccessModule {}
