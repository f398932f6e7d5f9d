import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AuthModule } from '../auth/auth.module.js';
import { SEALED_SECRETS, type SealedSecrets } from '../auth/sealed-secrets.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { POOL } from '../database/database.js';
import { MACHINE_CLOCK } from '../database/server-clock.js';
import { FailureLog } from '../http/failure-log.js';
import { PROJECTIONS, type Projections } from '../projections/projections.js';
import { PSEUDONYMS, type Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { EntitlementTokens } from './entitlement-token.js';
import { SigningKeys } from './signing-keys.js';

/** Entitlement tokens and the keys that sign them. */
@Module({
  imports: [AuthModule],
  providers: [
    {
      provide: SigningKeys,
      inject: [POOL, SEALED_SECRETS, SETTINGS, MACHINE_CLOCK, FailureLog],
      useFactory: (
        pool: Pool,
        secrets: SealedSecrets,
        { tokens: { algorithm } }: Settings,
        now: () => number,
        failures: FailureLog,
      ) =>
        new SigningKeys({
          pool,
          secrets,
          algorithm,
          now,
          onTrouble: (err) => failures.trouble('the keys of entitlement tokens are read later', err),
        }),
    },
    {
      provide: EntitlementTokens,
      inject: [SigningKeys, PROJECTIONS, SETTINGS, MACHINE_CLOCK, PSEUDONYMS],
      useFactory: (
        keys: SigningKeys,
        { reader }: Projections,
        { tokens: { issuer, seconds } }: Settings,
        now: () => number,
        pseudonyms: Pseudonyms | null,
      ) => new EntitlementTokens({ keys, reader, pseudonyms, issuer, seconds, now }),
    },
  ],
  exports: [SigningKeys, EntitlementTokens],
})
export class TokensModule {}
