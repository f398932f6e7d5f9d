import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import type { Origin } from '../commands/aggregate.js';
import { AggregateRepository } from '../commands/aggregate-repository.js';
import { projectionAggregate } from '../commands/projection.aggregate.js';
import type { StoreSettings } from '../config/part-settings.js';
import type { EventStore, LogTarget } from '../event-store/event-store.js';
import { readLiveCheckpoint } from '../projections/engine/checkpoint.js';
import { knownLogOnly } from '../projections/engine/log-watch.js';
import type { SetAside } from '../projections/engine/projector.js';
import { ENTITLEMENTS } from '../projections/entitlements/entitlements.projector.js';
import { openRebuildProjector, type RebuildProjector } from '../projections/rebuild/rebuild-projector.js';
import type { RebuildRuntime } from '../projections/rebuild/rebuild-runtime.js';
import { ProjectionRecovery } from '../projections/recovery.js';
import type { DataUse } from './database-url.js';
import { messageOf, type Terminal } from './terminal.js';
import { withLog } from './with-log.js';

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

/** Opens what rebuilds and heals the read models; what passes by itself is told on the terminal. */
export function withReadSide(
  terminal: Terminal,
  folding: Folding,
  work: (side: ReadSide) => Promise<void>,
): Promise<void> {
  const use = folding === 'fold' ? 'write' : folding;
  return withLog(terminal, use, async ({ settings, pool, databaseUrl, store, now }) => {
    const { streamPrefix, faultLimit } = settings;
    const onTrouble = (error: unknown): void => terminal.err(`tenure: ${messageOf(error)}\n`);
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
