import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AuthModule } from '../../auth/auth.module.js';
import { SEALED_SECRETS, type SealedSecrets } from '../../auth/sealed-secrets.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { ServerClock } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { FailureLog } from '../../http/failure-log.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { openMirror } from './mirror.js';
import { PublishedTree } from './published-tree.js';
import { TreeKeeper } from './tree-keeper.js';
import { parseWitness } from './witness.js';

/** The Merkle tree of the log: kept, signed and published. */
@Module({
  imports: [AuthModule],
  providers: [
    {
      provide: TreeKeeper,
      inject: [POOL, EVENT_STORE, SEALED_SECRETS, SETTINGS, ServerClock, LogWatch, FailureLog],
      useFactory: treeKeeper,
    },
    { provide: PublishedTree, inject: [POOL], useFactory: (pool: Pool) => new PublishedTree(pool) },
  ],
  exports: [TreeKeeper, PublishedTree],
})
export class AuditTreeModule {}

function treeKeeper(
  pool: Pool,
  store: EventStore,
  secrets: SealedSecrets,
  { audit: { origin, everySeconds, mirror, witnesses } }: Settings,
  clock: ServerClock,
  logWatch: LogWatch,
  failures: FailureLog,
): TreeKeeper {
  return new TreeKeeper({
    pool,
    store,
    secrets,
    origin,
    mirror: mirror === null ? null : openMirror(mirror),
    witnesses: witnesses.map(parseWitness),
    everySeconds,
    now: () => clock.now(),
    isLogKnown: () => logWatch.replaced === null && !clock.differs,
    onTrouble: (err) =>
      failures.trouble('the tree of the log was not kept, signed or mirrored, and it is tried again', err),
  });
}
