import { Module } from '@nestjs/common';
import type { Pool } from 'pg';
import { AuthModule } from '../../auth/auth.module.js';
import { SEALED_SECRETS, type SealedSecrets } from '../../auth/sealed-secrets.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { POOL } from '../../database/database.js';
import { ServerClock } from '../../database/server-clock.js';
import { EVENT_STORE, type EventStore } from '../../event-store/event-store.js';
import { FailureLog } from '../../http/failure-log.js';
import { inTime } from '../../observability/in-time.js';
import { Metrics } from '../../observability/metrics.js';
import { type AuditTreeFigures, watchAuditTree } from '../../observability/watched-gauges.js';
import { LogWatch } from '../../projections/engine/log-watch.js';
import { openMirror } from './mirror.js';
import { PublishedTree } from './published-tree.js';
import { type LogTree, readTrees } from './tree.repository.js';
import { TreeKeeper } from './tree-keeper.js';
import { parseWitness } from './witness.js';

/** How long a scrape waits for what was signed, in milliseconds. */
const ASKED_MS = 1_000;

/** The Merkle tree of the log: kept, signed and published. */
@Module({
  imports: [AuthModule],
  providers: [
    {
      provide: TreeKeeper,
      inject: [POOL, EVENT_STORE, SEALED_SECRETS, SETTINGS, ServerClock, LogWatch, FailureLog, Metrics],
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
  metrics: Metrics,
): TreeKeeper {
  const keeper = new TreeKeeper({
    pool,
    store,
    secrets,
    origin,
    mirror: mirror === null ? null : openMirror(mirror),
    witnesses: witnesses.map(parseWitness),
    everySeconds,
    now: () => clock.now(),
    isLogKnown: async () => (await logWatch.isKnownNow()) && !clock.differs,
    onOutcome: ({ with: place, outcome }) => metrics.auditTree(place, outcome),
    onTrouble: (err) =>
      failures.trouble('the tree of the log was not kept, signed or mirrored, and it is tried again', err),
  });
  metrics.watch(
    'tenure_audit_inconsistent',
    '1 while the log is no continuation of what was signed, mirrored or witnessed before, as this instance saw it last.',
    () => Number(keeper.isInconsistent),
  );
  watchAuditTree(metrics, async () => figuresOf(await inTime(readTrees(pool), ASKED_MS), clock.now()));
  return keeper;
}

/** Of the tree that grows; `null` where nothing is signed, or the database does not say. */
function figuresOf(trees: readonly LogTree[] | null, now: number): AuditTreeFigures | null {
  const signedAt = trees?.[0]?.signedAt ?? null;
  if (trees?.[0] === undefined || signedAt === null) return null;
  return { events: trees[0].checkpointSize, age: Math.max(0, (now - signedAt) / 1_000) };
}
