import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../config/settings.js';
import { POOL } from '../database/database.js';
import { MACHINE_CLOCK } from '../database/server-clock.js';
import { FailureLog } from '../http/failure-log.js';
import { KeptReplies } from '../http/idempotency/kept-replies.js';
import { Metrics } from '../observability/metrics.js';
import { ErasureWatch } from '../pseudonyms/erasure-watch.js';
import { PairsRepository } from '../pseudonyms/pairs.repository.js';
import { PSEUDONYMS, type Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { AccessControl } from './access-control.js';
import { AdminKeyAuthenticator, type Authenticator, firstOf } from './authenticator.js';
import { FailureLimiter } from './failure-limiter.js';
import { HeldAccess } from './held-access.js';
import { LastUse } from './keys/last-use.js';
import { SEALED_SECRETS, SealedSecrets } from './sealed-secrets.js';
import { StoredKeyAuthenticator } from './stored-key.authenticator.js';
import { StreamTickets } from './stream-tickets.js';
import { UserTokenAuthenticator } from './user-token.authenticator.js';
import { UserTokenKeys } from './user-token.keys.js';

/** DI token of who knows user tokens. */
const USER_TOKENS = Symbol('USER_TOKENS');

/** Who comes in: holders of a `TENURE_ADMIN_KEY`, of stored keys and of user tokens; and what was answered to those who may ask again. */
@Module({
  providers: [
    {
      provide: SEALED_SECRETS,
      inject: [SETTINGS],
      useFactory: ({ adminKeys }: Settings) => new SealedSecrets(adminKeys),
    },
    {
      provide: LastUse,
      inject: [POOL, FailureLog],
      useFactory: (pool: Pool, failures: FailureLog) =>
        new LastUse(pool, (err) => failures.trouble('uses of keys are noted later', err)),
    },
    {
      provide: KeptReplies,
      inject: [POOL, FailureLog],
      useFactory: (pool: Pool, failures: FailureLog) =>
        new KeptReplies(pool, (err) => failures.trouble('a reply is kept later', err)),
    },
    {
      provide: USER_TOKENS,
      inject: [SETTINGS, MACHINE_CLOCK, FailureLog],
      useFactory: (
        { userTokens, userIds, ownUserIds: { pattern } }: Settings,
        now: () => number,
        failures: FailureLog,
      ): Authenticator => {
        if (userTokens === null) return { authenticate: () => null };
        const keys = new UserTokenKeys({
          url: userTokens.jwksUrl,
          onTrouble: (err) => failures.trouble('the keys of user tokens cannot be had', err),
        });
        // A token has the user's own id, whatever stands for it inside.
        const read = { ...userIds, userIdPattern: pattern };
        return new UserTokenAuthenticator({ settings: userTokens, userIds: read, keys, now });
      },
    },
    {
      provide: AccessControl,
      inject: [SETTINGS, POOL, LastUse, USER_TOKENS, Metrics],
      useFactory: (
        { adminKeys }: Settings,
        pool: Pool,
        lastUse: LastUse,
        userTokens: Authenticator,
        metrics: Metrics,
      ) =>
        new AccessControl(
          firstOf(
            ...adminKeys.map((key) => new AdminKeyAuthenticator(key)),
            new StoredKeyAuthenticator(pool, lastUse),
            userTokens,
          ),
          new FailureLimiter(),
          (code) => metrics.authFailure(code),
        ),
    },
    {
      provide: StreamTickets,
      inject: [SETTINGS, MACHINE_CLOCK],
      useFactory: ({ adminKeys }: Settings, now: () => number) => new StreamTickets(adminKeys, now),
    },
    {
      provide: HeldAccess,
      inject: [AccessControl, MACHINE_CLOCK, PSEUDONYMS, POOL, FailureLog],
      useFactory: (
        access: AccessControl,
        now: () => number,
        pseudonyms: Pseudonyms | null,
        pool: Pool,
        failures: FailureLog,
      ) => {
        const onTrouble = (err: unknown) => failures.trouble('erasures are looked for later', err);
        const erasures =
          pseudonyms === null ? null : new ErasureWatch({ pairs: new PairsRepository(pool), onTrouble });
        return new HeldAccess({ access, now, erasures });
      },
    },
  ],
  exports: [SEALED_SECRETS, HeldAccess, AccessControl, StreamTickets],
})
export class AuthModule {}
