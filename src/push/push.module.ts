import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { POOL } from '../database/database.js';
import { EventStreams } from '../http/event-stream.js';
import { FailureLog } from '../http/failure-log.js';
import { TO_PROBLEM } from '../http/problem.js';
import { PROJECTIONS, type Projections } from '../projections/projections.js';
import { RevocationFeedReader } from '../projections/read-models/revocation-feed.reader.js';
import { Revocations } from './revocations.js';

/** What is told as it happens. */
@Module({
  providers: [
    {
      provide: EventStreams,
      inject: [TO_PROBLEM, FailureLog],
      useFactory: (...told: ConstructorParameters<typeof EventStreams>) => new EventStreams(...told),
    },
    {
      provide: Revocations,
      inject: [POOL, PROJECTIONS, FailureLog],
      useFactory: (pool: Pool, { changes, engine }: Projections, failures: FailureLog) =>
        new Revocations({
          reader: new RevocationFeedReader(pool),
          changes,
          isOurs: () => engine.status().state === 'leading',
          onTrouble: (err) => failures.trouble('the revocation feed is seen to later', err),
        }),
    },
  ],
  exports: [EventStreams, Revocations],
})
export class PushModule {}
