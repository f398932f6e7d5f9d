import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import type { EventStore } from '../event-store/event-store.js';
import type { Tracing } from '../observability/tracing.js';
import { type LiveCheckpoint, type ProjectionFault, readLiveCheckpoint } from './engine/checkpoint.js';
import type { CommittedBatch, Projection, ProjectionListener } from './engine/projection.js';
import type { SetAside } from './engine/projector.js';
import { ENTITLEMENTS } from './entitlements/entitlements.projector.js';
import { RUNNING_RULES } from './entitlements/folding-rules.js';
import { liveFold } from './live-fold.js';
import { AttentionReader } from './read-models/attention.reader.js';
import { DeadlineReader } from './read-models/deadline.reader.js';
import { EntitlementReader } from './read-models/entitlement.reader.js';
import { OpsReader } from './read-models/ops.reader.js';
import { PaymentsReader } from './read-models/payments.reader.js';
import { PublicationReader } from './read-models/publication.reader.js';
import type { SnapshotCache } from './read-models/snapshot-cache.js';
import { SnapshotChanges } from './read-models/snapshot-changes.js';
import { UserListReader } from './read-models/user-list.reader.js';
import {
  openRebuildProjector,
  type RebuildProjector,
  type RebuildProjectorOptions,
} from './rebuild/rebuild-projector.js';
import type { RebuildRuntime } from './rebuild/rebuild-runtime.js';
import { RebuildThread } from './workers/rebuild-thread.js';
import type { FoldingPlace } from './workers/thread-stores.js';
import { ThreadedProjection } from './workers/threaded-projection.js';

/** Threads of their own for what folds. */
export interface FoldingThreads {
  readonly place: FoldingPlace;
  /** Node's flags for the threads. Left out: those of the process. */
  readonly nodeFlags?: readonly string[];
  /** A thread ended by itself: nothing is folded any more. */
  readonly onDied: (error: Error) => void;
}

export interface ProjectionsOptions
  extends Omit<RebuildProjectorOptions, 'onFault' | 'onSetAside' | 'onTrouble' | 'onChange'> {
  readonly store: EventStore;
  readonly pool: Pool;
  /** Knows the entities; for what is asked seldom. */
  readonly source: DataSource;
  /** Connection string for the sessions that lead and listen, and for rebuilding. */
  readonly url: string;
  /** Called for every batch that this instance committed to the live generation. */
  readonly onBatch?: (batch: CommittedBatch) => void;
  readonly onFault?: (fault: ProjectionFault) => void;
  /** Called for everything that this instance set aside, in whichever generation. */
  readonly onSetAside?: (generation: number, what: SetAside) => void;
  readonly onTrouble?: (error: unknown) => void;
  /** The live checkpoint was read or written by this instance. */
  readonly onConfirmed?: (live: LiveCheckpoint) => void;
  readonly batchSize?: number;
  /** What instances share beside the database. */
  readonly cache?: SnapshotCache | null;
  /** Follows what is folded in this thread; a thread of its own opens its own, by `threads.place`. */
  readonly tracing?: Tracing | null;
  /** Left out: everything is folded in this thread, by the options above. */
  readonly threads?: FoldingThreads;
}

/** DI token of the read side of this process. */
export const PROJECTIONS = Symbol('PROJECTIONS');

/** The read side of one process: the engine that drives it, what reads it, and what rebuilds it. */
export interface Projections {
  readonly engine: Projection;
  readonly reader: EntitlementReader;
  /** Whose snapshots changed, as it happens. */
  readonly changes: SnapshotChanges;
  readonly ops: OpsReader;
  readonly rebuilds: RebuildRuntime;
  readonly deadlines: DeadlineReader;
  /** What the publication of a catalogue would change now; changes nothing. See `previewPublication`. */
  readonly previewPublication: RebuildProjector['previewPublication'];
  readonly users: UserListReader;
  readonly attention: AttentionReader;
  readonly payments: PaymentsReader;
  readonly publications: PublicationReader;
  /** The live checkpoint as it is now; `null` before the first start. */
  readCheckpoint(): Promise<LiveCheckpoint | null>;
  /** Folds the live generation and those of rebuilds. */
  start(): Promise<void>;
  /** Finishes the batches at hand, and closes the connections that are its own. */
  stop(): Promise<void>;
}

/** What folds, and when. */
interface Folding extends Pick<RebuildProjector, 'rebuilds' | 'previewPublication'> {
  readonly engine: Projection;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Puts what folds and what reads together. Start them to make them move. */
export function createProjections(options: ProjectionsOptions): Projections {
  const { pool, source, now, threads } = options;
  const onFault = options.onFault ?? (() => undefined);
  const onTrouble = options.onTrouble ?? (() => undefined);
  const cache = options.cache ?? null;
  const reader = new EntitlementReader(pool, now, cache);
  const changes = new SnapshotChanges();
  const listener: ProjectionListener = {
    onChanged: (changed) => {
      reader.changed(changed);
      cache?.changed(changed);
      changes.changed(changed);
    },
    onConfirmed: (live, moved, ageMs) => {
      options.onConfirmed?.(live);
      reader.confirmed(live, moved, ageMs);
      cache?.confirmed(live, { moved, isLeading: folding.engine.status().state === 'leading' });
      changes.confirmed(live, moved);
    },
    onBatch: options.onBatch ?? (() => undefined),
    onFault,
    onSetAside: options.onSetAside ?? (() => undefined),
    onTrouble,
  };
  const folding: Folding =
    threads === undefined ? foldHere(options, listener) : foldInThreads(options, listener, threads);
  return {
    ...folding,
    reader,
    changes,
    ops: new OpsReader(source),
    deadlines: new DeadlineReader(pool),
    users: new UserListReader(pool, now),
    attention: new AttentionReader(pool, now),
    payments: new PaymentsReader(pool),
    publications: new PublicationReader(pool),
    readCheckpoint: () => readLiveCheckpoint(pool, ENTITLEMENTS),
  };
}

function foldHere(options: ProjectionsOptions, listener: ProjectionListener): Folding {
  const { store, streamPrefix, pool, url, rules = RUNNING_RULES, batchSize } = options;
  const { sliceSize, faultLimit, now, tracing = null } = options;
  const engine = liveFold({
    store,
    streamPrefix,
    pool,
    url,
    rules,
    listener,
    tracing,
    ...(sliceSize === undefined ? {} : { sliceSize }),
    ...(now === undefined ? {} : { now }),
    ...(faultLimit === undefined ? {} : { faultLimit }),
    ...(batchSize === undefined ? {} : { batchSize }),
  });
  const { onSetAside, onTrouble } = listener;
  const onFault: RebuildProjectorOptions['onFault'] = (_, fault) => listener.onFault(fault);
  const rebuildProjector = openRebuildProjector({ ...options, onFault, onSetAside, onTrouble });
  return {
    engine,
    rebuilds: rebuildProjector.rebuilds,
    previewPublication: rebuildProjector.previewPublication,
    start: async () => {
      await engine.start();
      rebuildProjector.runner.start();
    },
    stop: async () => {
      await rebuildProjector.stop();
      await engine.stop();
    },
  };
}

/** The live fold and those of rebuilds in a thread each: neither delays the other, and none of them an answer. */
function foldInThreads(
  options: ProjectionsOptions,
  listener: ProjectionListener,
  threads: FoldingThreads,
): Folding {
  const live = new ThreadedProjection({ ...threads, listener });
  const rebuildThread = new RebuildThread({
    ...threads,
    pool: options.pool,
    projection: ENTITLEMENTS,
    onTrouble: listener.onTrouble,
    onMessage: (message) => {
      if (message.kind === 'started') return;
      if (message.call.name === 'onFault') listener.onFault(message.call.given[1]);
      else if (message.call.name === 'onSetAside') listener.onSetAside(...message.call.given);
      else listener.onTrouble(...message.call.given);
    },
  });
  const rebuildProjector = openRebuildProjector({
    ...options,
    onFault: (_, fault) => listener.onFault(fault),
    onSetAside: listener.onSetAside,
    onTrouble: listener.onTrouble,
    onChange: () => rebuildThread.wake(),
  });
  let unsubscribe = (): void => undefined;
  return {
    engine: live,
    rebuilds: rebuildProjector.rebuilds,
    previewPublication: rebuildProjector.previewPublication,
    start: async () => {
      await live.start();
      rebuildThread.start();
      unsubscribe = options.store.onAppend(() => live.wake());
    },
    stop: async () => {
      unsubscribe();
      const ends = await Promise.allSettled([live.stop(), rebuildThread.stop(), rebuildProjector.stop()]);
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    },
  };
}
