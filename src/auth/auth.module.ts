import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../config/settings.js';
import { POOL } from '../database/database.js';
import { FailureLog } from '../http/failure-log.js';
import { KeptReplies } from '../http/idempotency/kept-replies.js';
import { Metrics } from '../observability/metrics.js';
import { AccessControl } from './access-control.js';
import { AdminKeyAuthenticator, firstOf } from './authenticator.js';
import { FailureLimiter } from './failure-limiter.js';
import { LastUse } from './keys/last-use.js';
import { StoredKeyAuthenticator } from './stored-key.authenticator.js';

/** Who comes in: holders of `TENURE_ADMIN_KEY` and of stored keys; and what was answered to those who may ask again. */
@Module({
  providers: [
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
      provide: AccessControl,
      inject: [SETTINGS, POOL, LastUse, Metrics],
      useFactory: ({ adminKey }: Settings, pool: Pool, lastUse: LastUse, metrics: Metrics) =>
        new AccessControl(
          firstOf(new AdminKeyAuthenticator(adminKey), new StoredKeyAuthenticator(pool, lastUse)),
          new FailureLimiter(),
          (code) => metrics.authFailure(code),
        ),
    },
  ],
})
export class AuthModule {}
