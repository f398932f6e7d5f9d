import type { Entitlement } from '../../policy/entitlement.js';
import type { PartialEvent } from '../engine/partial-progress.js';
import {
  FaultLimitError,
  type ProjectedBatch,
  type ProjectionCursor,
  type SetAside,
} from '../engine/projector.js';
import { recentlySetAside, type SetAsideSummary } from '../engine/set-aside-summary.js';
import type { Catalogs } from './catalogs.js';
import type { FoldedAround } from './fault-reducer.js';
import type { SetAsides } from './set-aside.js';
import type { UserRow } from './user-row.js';
import type { WriteBatch } from './write-batch.js';

/** A batch of this projection, the rows of users that it makes, and what users without a row may do after it. */
export interface EntitlementsBatch extends ProjectedBatch {
  readonly users: ReadonlyMap<string, UserRow>;
  /** `null` before the first catalogue. */
  readonly byDefault: Entitlement | null;
}

/** How far a batch came, from where; `apart` are users whose rows are written each by itself. */
export interface BatchProgress {
  readonly applied: number;
  readonly partialProgress: readonly PartialEvent[];
  readonly from: ProjectionCursor;
  readonly apart: ReadonlySet<string>;
}

export interface BatchMakerOptions {
  readonly generation: number;
  readonly codeVersion: string;
  /** Streams and users that may be newly set aside within 10,000 events. */
  readonly faultLimit: number;
  /** Replaces the database's clock as what is served by. */
  readonly served: (() => number) | null;
  readonly catalogs: Catalogs;
  readonly asides: SetAsides;
  /** Drops what is in memory. */
  readonly forget: () => void;
}

/** Makes the batches that the engine commits of what was folded and judged. */
export class BatchMaker {
  constructor(private readonly options: BatchMakerOptions) {}

  /** Puts a batch together. @throws FaultLimitError */
  batch(
    { changes, now, newly }: FoldedAround,
    { applied, partialProgress, from, apart }: BatchProgress,
    changed: ProjectedBatch['changed'],
  ): EntitlementsBatch {
    const { generation, served, catalogs, forget } = this.options;
    const byDefault = catalogs.inForce?.byDefault ?? null;
    return {
      applied,
      partialProgress,
      logicalTime: now,
      changed,
      setAside: this.#summary(from, applied, newly),
      newlySetAside: newly,
      users: changes.users,
      byDefault,
      seal: () => changes.seal(),
      write: async (client) => {
        const failed = await changes.write(client, generation, served, apart);
        if (failed.size > 0) forget(); // what is in memory of them is not what is written
      },
      findUnwritable: (client) => changes.findUnwritable(client, generation, served),
    };
  }

  /** @throws FaultLimitError */
  #summary(from: ProjectionCursor, applied: number, newly: readonly SetAside[]): SetAsideSummary {
    const { asides, codeVersion, faultLimit: limit } = this.options;
    const { counts } = asides;
    const last = newly.at(-1);
    if (last === undefined) return { ...from.setAside, ...counts };
    const at = from.events + Math.max(1, applied);
    const recent = [...recentlySetAside(from.setAside, codeVersion, at), ...newly.map(() => at)];
    if (recent.length > limit) throw new FaultLimitError(limit, last.message);
    return { ...counts, code: codeVersion, recent };
  }
}

/** Users whose rows, marks or changes to come a batch changes. */
export function changedUsers({ users, setAside, planChanges }: WriteBatch): readonly string[] {
  return [...new Set([...users.keys(), ...setAside.users.keys(), ...planChanges.keys()])];
}
