import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { SETTINGS, type Settings } from '../config/settings.js';
import { POOL } from '../database/database.js';
import { MACHINE_CLOCK } from '../database/server-clock.js';
import { EventStreams } from '../http/event-stream.js';
import { FailureLog } from '../http/failure-log.js';
import { TO_PROBLEM, type ToProblem } from '../http/problem.js';
import { Metrics } from '../observability/metrics.js';
import { PROJECTIONS, type Projections } from '../projections/projections.js';
import { RevocationFeedReader } from '../projections/read-models/revocation-feed.reader.js';
import { PSEUDONYMS, type Pseudonyms } from '../pseudonyms/pseudonyms.js';
import { LongPolls } from './long-polls.js';
import { Revocations } from './revocations.js';
import { SnapshotWatch } from './snapshot-watch.js';
import { StreamPlaces } from './stream-places.js';

/** What is told as it happens. */
@Module({
  providers: [
    {
      provide: EventStreams,
      inject: [TO_PROBLEM, FailureLog],
      useFactory: (toProblem: ToProblem, failures: FailureLog) => new EventStreams(toProblem, failures),
    },
    {
      provide: StreamPlaces,
      inject: [SETTINGS, Metrics],
      useFactory: ({ streams }: Settings, metrics: Metrics) => {
        const places = new StreamPlaces(streams);
        metrics.watch(
          'tenure_streams',
          'Streams and waits for a change that are open here.',
          () => places.taken,
        );
        return places;
      },
    },
    {
      provide: SnapshotWatch,
      inject: [PROJECTIONS, MACHINE_CLOCK, FailureLog],
      useFactory: ({ reader, changes }: Projections, now: () => number, failures: FailureLog) =>
        new SnapshotWatch({
          reader,
          changes,
          now,
          onTrouble: (err) => failures.trouble('streams of users are told later', err),
        }),
    },
    {
      provide: LongPolls,
      inject: [SnapshotWatch, StreamPlaces],
      useFactory: (watch: SnapshotWatch, places: StreamPlaces) => new LongPolls(watch, places),
    },
    {
      provide: Revocations,
      inject: [POOL, PROJECTIONS, FailureLog, PSEUDONYMS],
      useFactory: (
        pool: Pool,
        { changes, engine }: Projections,
        failures: FailureLog,
        pseudonyms: Pseudonyms | null,
      ) =>
        new Revocations({
          pseudonyms,
          reader: new RevocationFeedReader(pool),
          changes,
          isOurs: () => engine.status().state === 'leading',
          onTrouble: (err) => failures.trouble('the revocation feed is seen to later', err),
        }),
    },
  ],
  exports: [EventStreams, Revocations, SnapshotWatch, StreamPlaces, LongPolls],
})
export class PushModule {}
