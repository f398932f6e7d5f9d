import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Origin } from '../commands/aggregate.js';
import { AggregateRepository } from '../commands/aggregate-repository.js';
import { projectionAggregate } from '../commands/projection.aggregate.js';
import type { StoreSettings } from '../config/settings.js';
import { ServerClock } from '../database/server-clock.js';
import type { EventStore, LogTarget } from '../event-store/event-store.js';
import { claimForLog, claimForRestore, expectLog, logOf } from '../event-store/log-identity.js';
import { openEventStore } from '../event-store/open-event-store.js';
import { readLiveCheckpoint } from '../projections/engine/checkpoint.js';
import { knownLogOnly } from '../projections/engine/log-watch.js';
import type { SetAside } from '../projections/engine/projector.js';
import { ENTITLEMENTS } from '../projections/entitlements/entitlements.projector.js';
import { openRebuildProjector, type RebuildProjector } from '../projections/rebuild/rebuild-projector.js';
import type { RebuildRuntime } from '../projections/rebuild/rebuild-runtime.js';
import { ProjectionRecovery } from '../projections/recovery.js';
import type { DataUse } from './database-url.js';
import { type ServiceData, withServiceData } from './service-data.js';
import type { Terminal } from './terminal.js';

/** The log, and what is rebuilt and healed of the read models. */
export interface ReadSide {
  readonly rebuilds: RebuildRuntime;
  readonly recovery: ProjectionRecovery;
  readonly previewPublication: RebuildProjector['previewPublication'];
  readonly store: LogTarget;
  readonly settings: StoreSettings;
  readonly databaseUrl: string;
}

/** What a command does with log and database; who would `fold` goes on with builds while the command runs, unless a service does. */
export type Folding = DataUse | 'fold';

const CLAIM = { read: expectLog, write: claimForLog, restore: claimForRestore };

/**
 * Opens the log of the service beside its database.
 * `now` is the writer's clock. @throws OtherLogError when the settings name another log than the database was made from
 */
export function withLog<Result>(
  terminal: Terminal,
  use: DataUse,
  work: (data: ServiceData & { readonly store: LogTarget; readonly now: () => number }) => Promise<Result>,
): Promise<Result> {
  return withServiceData(terminal, use, async (data) => {
    const { settings, database, databaseUrl } = data;
    await CLAIM[use](database.pool, logOf(settings));
    const onFault = (fault: unknown): void => terminal.err(`tenure: event store: ${told(fault)}\n`);
    const clock = new ServerClock({ pool: database.pool });
    await clock.measure();
    const store = await openEventStore(settings, { pool: database.pool, databaseUrl, onFault });
    try {
      return await work({ ...data, store, now: () => clock.now() });
    } finally {
      await store.close();
    }
  });
}

/** Opens what rebuilds and heals the read models; what passes by itself is told on the terminal. */
export function withReadSide(
  terminal: Terminal,
  folding: Folding,
  work: (side: ReadSide) => Promise<void>,
): Promise<void> {
  const use = folding === 'fold' ? 'write' : folding;
  return withLog(terminal, use, async ({ settings, database: { pool }, databaseUrl, store, now }) => {
    const { streamPrefix, faultLimit } = settings;
    const onTrouble = (error: unknown): void => terminal.err(`tenure: ${told(error)}\n`);
    const onFault = (generation: number, { message }: { readonly message: string }): void =>
      onTrouble(`generation ${generation} stopped: ${message}`);
    const onSetAside = (generation: number, { kind, id, message }: SetAside): void =>
      onTrouble(`generation ${generation} set the ${kind} ${id} aside: ${message}`);
    const url = databaseUrl;
    const hears = { onFault, onSetAside, onTrouble };
    const rebuildProjector = openRebuildProjector({ store, streamPrefix, faultLimit, pool, url, ...hears });
    const mayWrite = knownLog(store, pool);
    const commands = new AggregateRepository(store, projectionAggregate, { streamPrefix, now, mayWrite });
    const recovery = new ProjectionRecovery({
      store,
      streamPrefix,
      pool,
      projection: ENTITLEMENTS,
      commands,
    });
    try {
      if (folding === 'fold') rebuildProjector.runner.start();
      const { rebuilds: generations, previewPublication } = rebuildProjector;
      await work({ rebuilds: generations, recovery, previewPublication, store, settings, databaseUrl });
    } finally {
      await rebuildProjector.stop();
    }
  });
}

/** For repositories: throws LogReplacedError where the log is not the one that the read models were made from. */
export function knownLog(store: EventStore, pool: Pool): () => Promise<void> {
  return knownLogOnly(store, () => readLiveCheckpoint(pool, ENTITLEMENTS));
}

/** Where what a command appends comes from. */
export function originOf(actor: string): Omit<Origin, 'causation'> {
  return { actor, correlationId: randomUUID(), stripe: null };
}

function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
