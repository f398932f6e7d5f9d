import { isTransient } from '../../database/transient.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { PartialEvent } from '../engine/partial-progress.js';
import { EventFailedError, type SetAside } from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import type { CatalogPublication } from './catalog-publication.js';
import type { Catalogs } from './catalogs.js';
import { idsOf } from './event-subject.js';
import { FactReducer } from './fact-reducer.js';
import type { FactsLoader } from './facts-loader.js';
import type { Given } from './fault-reducer.js';
import type { SetAsides } from './set-aside.js';
import type { WorkingSet } from './working-set.js';
import { checkTexts } from './writable.js';
import type { WriteBatch } from './write-batch.js';

export interface EventFoldingOptions {
  readonly workingSet: WorkingSet;
  readonly loader: FactsLoader;
  readonly catalogs: Catalogs;
  readonly asides: SetAsides;
  /** `undefined`: everyone. Others are not loaded: nobody judges them. */
  readonly judgedUsers: ReadonlySet<string> | undefined;
}

/** Folds events into the facts in memory, so that one that cannot be folded is told apart from a fault that passes. */
export class EventFolding {
  constructor(private readonly options: EventFoldingOptions) {}

  /** What folds the events of a batch, and notes its changes. */
  reducer(changes: WriteBatch): FactReducer {
    return new FactReducer(this.options.workingSet, this.options.loader, changes);
  }

  /** Loads what a batch is about at once; where some of it cannot be, each event loads its own, and fails alone. */
  async prefetch(
    reducer: FactReducer,
    batch: readonly Given[],
    underWay: readonly PartialEvent[],
    publication: CatalogPublication,
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const { asides, catalogs, loader, judgedUsers } = this.options;
    const events = batch.filter(
      (event): event is EventEnvelope => !(event instanceof UnreadableEvent) && !asides.holds(event.stream),
    );
    try {
      await reducer.prefetch(events);
      const { inForce } = catalogs;
      if (inForce === null) return [];
      const owners = reducer.ownersOf(events);
      const likely = judgedUsers === undefined ? owners : owners.filter((userId) => judgedUsers.has(userId));
      await loader.users(likely, inForce.byDefault);
      return await publication.publishFirst(likely, underWay, changes);
    } catch (error) {
      if (isTransient(error)) throw error;
      return [];
    }
  }

  /** Folds the event at `index` of a batch; returns who is to be judged. @throws EventFailedError */
  async fold(event: EventEnvelope, index: number, reducer: FactReducer): Promise<readonly string[]> {
    try {
      checkTexts([...idsOf(event), event.metadata.stripeEventId]);
      return await reducer.fold(event);
    } catch (error) {
      if (isTransient(error)) throw error;
      throw new EventFailedError(index, { stage: 'fold', cause: error });
    }
  }
}
