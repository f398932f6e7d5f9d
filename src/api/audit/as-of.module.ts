import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AsOfReader } from '../../audit/as-of/as-of.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { MACHINE_CLOCK } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { PROJECTIONS, type Projections } from '../../projections/projections.js';

/** How long an answer waits until all that was known by its moment is folded, in milliseconds. */
const LEVEL_WITHIN_MS = 5_000;

/** Gives who answers questions as of a moment. */
@Module({
  providers: [
    {
      provide: AsOfReader,
      inject: [POOL, EVENT_STORE, SETTINGS, MACHINE_CLOCK, PROJECTIONS],
      useFactory: (
        pool: Pool,
        store: EventStore,
        { streamPrefix }: Settings,
        now: () => number,
        { engine }: Projections,
      ) =>
        new AsOfReader({
          pool,
          store,
          streamPrefix,
          now,
          reach: (position) => engine.waitUntil(position, LEVEL_WITHIN_MS),
        }),
    },
  ],
  exports: [AsOfReader],
})
export class AsOfModule {}
