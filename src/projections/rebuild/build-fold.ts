import type { Pool } from 'pg';
import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { BatchRunner } from '../engine/batch-runner.js';
import { BoundedLog } from '../engine/bounded-log.js';
import type { Checkpoint } from '../engine/checkpoint.js';
import type { ProjectionKey } from '../engine/projection-key.js';
import { type ProjectionSource, projectionSource } from '../engine/projection-source.js';
import type { Projector } from '../engine/projector.js';
import { ReadAhead } from '../engine/read-ahead.js';
import type { Round } from '../engine/round.js';
import type { FoldedApart } from '../entitlements/projector-options.js';
import type { BuildPoint } from './build-progress.js';
import type { ChunkFolder } from './grouped/chunk-folder.js';
import { GroupedFold, type GroupedStep } from './grouped/grouped-fold.js';
import { OwnChunkFolder } from './grouped/own-chunk-folder.js';
import { eventsAtOf, SetDownEvents, SetDownGoneError } from './grouped/set-down-events.js';

/** Events that are left, at least, for a fold to be group by group: below it reading twice costs more than it saves. */
export const LEAST_BY_GROUPS = 20_000;

/** What a round in the log's order came to, or a step of groups. */
export type BuildRound = Round | Exclude<GroupedStep, { readonly outcome: 'in order' }>;

export interface BuildFoldOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  readonly pool: Pool;
  readonly key: ProjectionKey;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  /** Events in one transaction. */
  readonly batchSize: number;
  /** As `LEAST_BY_GROUPS`; `null`: it is not folded so, but for a stretch that somebody was in the middle of. */
  readonly leastByGroups: number | null;
  /** Begins to fold chunks of a generation elsewhere, beside this thread; whoever does is stopped with the stretch. Left out: nobody. */
  readonly moreFolders?: MoreFolders;
}

/** Whoever folds chunks of a generation elsewhere, `batchSize` events at once. */
export type MoreFolders = (key: ProjectionKey, batchSize: number) => readonly ChunkFolder[];

/**
 * Folds a generation that is not read: group by group where much is left of the log, else in the log's order, the next
 * batch while one is written.
 */
export class BuildFold {
  readonly #log: BoundedLog;
  readonly #groupsLog: BoundedLog;
  readonly #setDown: SetDownEvents | null;
  readonly #grouped: GroupedFold;
  #inOrder: BatchRunner | null = null;

  constructor(private readonly options: BuildFoldOptions) {
    const { store, pool, key } = options;
    this.#log = this.#boundedLog();
    this.#groupsLog = this.#boundedLog();
    this.#setDown = store.eventsAt === undefined ? new SetDownEvents(pool, key) : null;
    this.#grouped = this.#groupedFold();
  }

  /** Whether the log holds the event of a checkpoint. */
  get log(): Pick<ProjectionSource, 'holds'> {
    return this.#log;
  }

  /** One step or round from `read`, as of `GroupedFold`: no event after `to.handled` is folded. @throws what may pass */
  async run(read: Checkpoint, to: BuildPoint): Promise<BuildRound> {
    this.#log.until = to.handled;
    this.#groupsLog.until = to.handled;
    const step = await this.#grouped.step(read, to).catch(lostIfGone);
    if (step.outcome === 'in order') {
      await this.#setDown?.clear();
      this.#inOrder ??= this.#runner();
      return this.#inOrder.run(read);
    }
    // What it has in memory is of before.
    await this.#inOrder?.stop();
    this.#inOrder = null;
    return step;
  }

  /** Gives up what is folded and not committed; for whoever does not go on. */
  async stop(): Promise<void> {
    await this.#inOrder?.stop();
    await this.#grouped.stop();
  }

  #runner(): BatchRunner {
    const { pool, key, projectorOf, batchSize } = this.options;
    return new BatchRunner(this.#log, pool, projectorOf(key.generation, {}), key, batchSize, 'ahead');
  }

  #groupedFold(): GroupedFold {
    const { store, pool, key, projectorOf, batchSize, leastByGroups: least, moreFolders } = this.options;
    const eventsAt = eventsAtOf(store, pool, key.generation);
    return new GroupedFold({
      log: this.#groupsLog,
      setDown: this.#setDown,
      pool,
      key,
      batchSize,
      least,
      folders: () => [
        new OwnChunkFolder({ eventsAt, pool, key, projectorOf, batchSize }),
        ...(moreFolders?.(key, batchSize) ?? []),
      ],
    });
  }

  #boundedLog(): BoundedLog {
    const { store, streamPrefix, key } = this.options;
    return new BoundedLog(new ReadAhead(projectionSource(store, streamPrefix, key.projection)));
  }
}

/** Whoever comes next reads the stretch again. */
function lostIfGone(error: unknown): GroupedStep {
  if (error instanceof SetDownGoneError) return { outcome: 'lost' };
  throw error;
}
