import type { Pool } from 'pg';
import { WakeSignal } from '../engine/wake-signal.js';
import { type GenerationRole, listGenerations } from '../rebuild/generation-table.js';
import { FoldingThread, type FoldingThreadOptions } from './folding-thread.js';
import type { FromRebuildThread, ToThread } from './protocol.js';

/** Generations that somebody folds, compares, swaps or drops; the live one has a thread of its own. */
const FOLDED_ROLES: readonly GenerationRole[] = ['building', 'previous', 'dropping'];
/** Interval between two looks whether there is something to fold, in milliseconds. */
const LOOK_MS = 500;
const KEEP_MS = 60_000;
/** A build is there for its speed, and ends: what it has in hand of a chunk at a time is young. */
const YOUNG_MEGABYTES = 32;

export interface RebuildThreadOptions
  extends Omit<FoldingThreadOptions<FromRebuildThread>, 'file' | 'youngMegabytes'> {
  readonly pool: Pool;
  readonly projection: string;
  /** Looking failed; it goes on. */
  readonly onTrouble: (error: unknown) => void;
  /** How long the thread stays when there is nothing to fold any more, in milliseconds; left out: a minute. */
  readonly keepMs?: number;
}

/**
 * The thread that folds generations that are not live: there only while there are such, because one that has nothing to do
 * takes 35 MB all the same.
 */
export class RebuildThread {
  readonly #wakeSignal = new WakeSignal();
  #thread: FoldingThread<ToThread, FromRebuildThread> | null = null;
  #wantedAt = 0;
  #stopping = false;
  #running: Promise<void> | null = null;

  constructor(private readonly options: RebuildThreadOptions) {}

  get isThere(): boolean {
    return this.#thread !== null;
  }

  /** Begins to look; comes back at once. */
  start(): void {
    this.#running = this.#run();
  }

  /** Something to fold came or went. */
  wake(): void {
    this.#thread?.post({ kind: 'wake' });
    this.#wakeSignal.wake();
  }

  /** Lets the thread, if it is there, finish the batch at hand. @throws what `FoldingThread.stop` throws */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeSignal.wake();
    await this.#running;
    await this.#end();
  }

  async #run(): Promise<void> {
    const { pool, projection, onTrouble, keepMs = KEEP_MS } = this.options;
    while (!this.#stopping) {
      try {
        const all = await listGenerations(pool, projection);
        if (all.some(({ role }) => FOLDED_ROLES.includes(role))) {
          this.#wantedAt = performance.now();
          await this.#begin();
        } else if (performance.now() - this.#wantedAt >= keepMs) await this.#end();
      } catch (error) {
        if (!this.#stopping) onTrouble(error);
      }
      if (!this.#stopping) await this.#wakeSignal.wait(LOOK_MS);
    }
  }

  /** A thread that cannot begin is as one that died: nothing would be folded. */
  async #begin(): Promise<void> {
    if (this.#thread !== null) return;
    const thread = new FoldingThread<ToThread, FromRebuildThread>({
      ...this.options,
      file: new URL('./rebuild.worker.js', import.meta.url),
      youngMegabytes: YOUNG_MEGABYTES,
    });
    this.#thread = thread;
    await thread.start().catch(this.options.onDied);
  }

  async #end(): Promise<void> {
    const thread = this.#thread;
    this.#thread = null;
    await thread?.stop();
  }
}
