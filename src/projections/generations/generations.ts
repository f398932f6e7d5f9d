import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { z } from 'zod';
import { comparePositions, type EventStore, type Position } from '../../event-store/event-store.js';
import type { RecordedEvent } from '../../events/recorded-event.js';
import type { Projector } from '../engine/projector.js';
import { type ComparisonReport, compareGenerations } from './comparison.js';
import {
  BuildOfOtherCodeError,
  GenerationBehindError,
  GenerationFaultedError,
  UnknownGenerationError,
} from './errors.js';
import {
  beginGeneration,
  dropGeneration,
  findGeneration,
  type Generation,
  type GenerationFold,
  listGenerations,
} from './generation-table.js';
import { onLevelSnapshot } from './level-ground.js';
import { generationBefore, type SwapReport, swapGenerations } from './swap.js';
import { type OnProgress, sweepScratch, type VerificationReport, verifyLive } from './verification.js';

export interface GenerationsOptions {
  readonly store: EventStore;
  /** The setting `STREAM_PREFIX`. */
  readonly streamPrefix: string;
  /** Connections of its own, without a limit on the time of a statement. */
  readonly pool: Pool;
  readonly projection: string;
  /** Version of the code that runs here. */
  readonly codeVersion: string;
  readonly projectorOf: (
    generation: number,
    judgedUsers: ReadonlySet<string> | 'everyone',
  ) => Projector<RecordedEvent>;
  /** Something to fold came or went. */
  readonly onChange: () => void;
  /** How long nothing may move before a wait is given up, in milliseconds. */
  readonly patienceMs?: number;
  /** Unix ms; the clock that snapshots are served by. */
  readonly now?: () => number;
}

/** Who asks for something, and why: kept with what is done. */
export interface Asked {
  readonly actor: string;
  readonly reason: string;
}

/** How far a build came. Rates are of the time that it was watched; `secondsLeft` is null while they are unknown. */
export interface BuildProgress {
  readonly generation: number;
  readonly handled: Position | null;
  readonly live: Position | null;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly secondsLeft: number | null;
}

/** A move of the pointer as it was recorded. */
export interface RecordedSwap {
  readonly swap: number;
  readonly kind: 'swap' | 'rollback';
  readonly from: number;
  readonly to: number;
  readonly position: Position | null;
  readonly fromCode: string;
  readonly toCode: string;
  readonly usersChanged: number;
  readonly actor: string;
  readonly reason: string;
  readonly at: Date;
}

/** What is done with a build once it is level and compared: a dry run drops it. */
export type Afterwards = 'swap' | 'keep' | 'drop';

const PATIENCE_MS = 30_000;
const LOOK_MS = 100;
/** Events of a verification in one transaction. */
const VERIFY_BATCH = 2_000;

const swapRow = z
  .object({
    swap: z.number(),
    kind: z.enum(['swap', 'rollback']),
    from_generation: z.number(),
    to_generation: z.number(),
    position: z.string().nullable(),
    from_code: z.string(),
    to_code: z.string(),
    users_changed: z.number(),
    actor: z.string(),
    reason: z.string(),
    swapped_at: z.date(),
  })
  .transform(
    ({ from_generation, to_generation, from_code, to_code, users_changed, swapped_at, ...rest }) => ({
      ...rest,
      from: from_generation,
      to: to_generation,
      fromCode: from_code,
      toCode: to_code,
      usersChanged: users_changed,
      at: swapped_at,
    }),
  ) satisfies z.ZodType<RecordedSwap>;

/**
 * Rebuilding the read models without downtime (DESIGN 12): builds beside what is read, comparison, swap, roll-back,
 * verification. What is under way is in the database, not here: any process may go on with it, and a `GenerationKeeper`
 * of any running service does the folding.
 */
export class Generations {
  readonly #patienceMs: number;
  readonly #now: () => number;

  constructor(private readonly options: GenerationsOptions) {
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
    this.#now = options.now ?? Date.now;
  }

  /** Every generation that is there, oldest first. */
  list(): Promise<readonly Generation[]> {
    return listGenerations(this.options.pool, this.options.projection);
  }

  /** The last `limit` moves of the pointer, newest first. */
  async swaps(limit: number): Promise<readonly RecordedSwap[]> {
    const { rows } = await this.options.pool.query(
      `select swap, kind, from_generation, to_generation, position::text, from_code, to_code, users_changed, actor,
         reason, swapped_at
       from tenure.generation_swap order by swap desc limit $1`,
      [limit],
    );
    return z.array(swapRow).parse(rows);
  }

  /**
   * Begins a rebuild; running services fold it. Returns the number of the new generation.
   * @throws RebuildInProgressError
   */
  async begin({ actor, reason }: Asked): Promise<number> {
    const { pool, projection, codeVersion, onChange } = this.options;
    await sweepScratch(pool, projection);
    const generation = await beginGeneration(pool, {
      projection,
      state: 'building',
      startedBy: actor,
      reason,
      codeVersion,
    });
    onChange();
    return generation;
  }

  /**
   * Waits until a build is level with what is read, as long as it moves.
   * @throws UnknownGenerationError when it is dropped, BuildOfOtherCodeError, GenerationFaultedError,
   * GenerationBehindError when nothing moved for a while
   */
  async untilLevel(generation: number, onProgress: (progress: BuildProgress) => void): Promise<void> {
    const { codeVersion } = this.options;
    const began = performance.now();
    let first: BuildProgress | null = null;
    let moved = { at: performance.now(), revision: -1 };
    for (;;) {
      const { build, live } = await this.#buildAndLive(generation);
      if (build.builtBy !== codeVersion) {
        throw new BuildOfOtherCodeError(generation, build.builtBy, codeVersion);
      }
      const { fault, handled, revision } = build.checkpoint;
      if (fault !== null) throw new GenerationFaultedError(generation, fault);
      const progress = progressOf(generation, build, live, first, performance.now() - began);
      first ??= progress;
      onProgress(progress);
      if (live !== null && comparePositions(handled, live) >= 0) return;
      if (live === null && (await this.options.store.head()) === null) return;
      if (revision !== moved.revision) moved = { at: performance.now(), revision };
      if (performance.now() - moved.at > this.#patienceMs) {
        throw new GenerationBehindError(generation, handled, live);
      }
      await pause(LOOK_MS);
    }
  }

  /**
   * What a swap to `to` would change, on a snapshot in which both are level. Changes nothing.
   * @throws UnknownGenerationError, GenerationIsLiveError, GenerationFaultedError, GenerationBehindError
   */
  async compare(to: number): Promise<ComparisonReport> {
    const { pool, projection } = this.options;
    await findGeneration(pool, projection, to);
    const level = { projection, to, patienceMs: this.#patienceMs, bringOn: async () => undefined };
    return onLevelSnapshot(pool, level, (client, ground) =>
      compareGenerations(client, { ...ground, now: this.#now() }, async () => undefined),
    );
  }

  /**
   * Makes a build, or a generation that was read before, the one that is read. The report tells what it did.
   * @throws UnknownGenerationError, GenerationIsLiveError, GenerationFaultedError, GenerationBehindError
   */
  swap(to: number, asked: Asked): Promise<SwapReport> {
    return this.#swap(to, 'swap', asked);
  }

  /**
   * Makes the generation that the last swap replaced the one that is read; again takes that back.
   * @throws NothingToRollBackError, GenerationFaultedError, GenerationBehindError
   */
  async rollBack(asked: Asked): Promise<SwapReport> {
    return this.#swap(await generationBefore(this.options.pool), 'rollback', asked);
  }

  /** What `rollBack` would change. @throws NothingToRollBackError and what `compare` throws */
  async compareRollBack(): Promise<ComparisonReport> {
    return this.compare(await generationBefore(this.options.pool));
  }

  /**
   * Removes a build, or a generation that is not read any more; going back to it is no longer possible.
   * @throws UnknownGenerationError, GenerationIsLiveError
   */
  async drop(generation: number): Promise<void> {
    await dropGeneration(this.options.pool, this.options.projection, generation);
    this.options.onChange();
  }

  /**
   * A whole rebuild: build, wait until level, compare, and what is asked for then. The report is that of the swap where
   * there was one. When the wait is given up the build stays, and goes on while a service runs: swap or drop it.
   * @throws what `begin`, `untilLevel` and `swap` throw
   */
  async rebuild(
    { afterwards, ...asked }: Asked & { readonly afterwards: Afterwards },
    onProgress: (progress: BuildProgress) => void,
  ): Promise<ComparisonReport> {
    const generation = await this.begin(asked);
    await this.untilLevel(generation, onProgress);
    if (afterwards === 'swap') return this.swap(generation, asked);
    const report = await this.compare(generation);
    if (afterwards === 'drop') await this.drop(generation);
    return report;
  }

  /**
   * Folds the log again, judging all users or so many at random, and compares it with what is read.
   * @throws GenerationFaultedError, GenerationBehindError
   */
  verify(users: number | 'all', actor: string, onProgress: OnProgress): Promise<VerificationReport> {
    const options = { ...this.options, batchSize: VERIFY_BATCH, patienceMs: this.#patienceMs };
    return verifyLive(options, { users, actor, onProgress });
  }

  #swap(to: number, kind: 'swap' | 'rollback', asked: Asked): Promise<SwapReport> {
    const { pool, projection } = this.options;
    const { actor, reason } = asked;
    return swapGenerations(pool, {
      projection,
      to,
      kind,
      actor,
      reason,
      patienceMs: this.#patienceMs,
      now: this.#now,
    }).finally(() => this.options.onChange());
  }

  async #buildAndLive(
    generation: number,
  ): Promise<{ readonly build: GenerationFold; readonly live: Position | null }> {
    const all = await this.list();
    const build = all.find((each) => each.generation === generation && each.role !== 'dropping')?.fold;
    if (build === undefined || build === null) throw new UnknownGenerationError(generation);
    const live = all.find(({ role }) => role === 'live')?.fold?.checkpoint.handled ?? null;
    return { build, live };
  }
}

function progressOf(
  generation: number,
  { checkpoint: { handled }, events }: GenerationFold,
  live: Position | null,
  first: BuildProgress | null,
  spentMs: number,
): BuildProgress {
  const seconds = spentMs / 1000;
  const eventsPerSecond = first === null || seconds === 0 ? 0 : (events - first.events) / seconds;
  const done = distance(first?.handled ?? null, handled);
  const secondsLeft = done > 0 ? (Math.max(0, distance(handled, live)) / done) * seconds : null;
  return { generation, handled, live, events, eventsPerSecond, secondsLeft };
}

function distance(from: Position | null, to: Position | null): number {
  return Number(BigInt(to ?? '0') - BigInt(from ?? '0'));
}
