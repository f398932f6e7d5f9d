import type { Pool } from 'pg';
import { type DueWork, LaterWorkError, type Reaction, UselessWorkError } from './reaction.js';
import { endTry, type TryEnd, takeDue } from './work-store.js';

export interface WorkerOptions {
  readonly pool: Pool;
  readonly reaction: Reaction;
  readonly onEnd: (reaction: string, outcome: TryEnd['outcome']) => void;
  readonly onTrouble: (error: unknown) => void;
  /** A try has ended: there may be more to take. */
  readonly wake: () => void;
}

/** Tries under way at once, of a reaction and of one of its groups. */
const AT_ONCE = 16;
const PER_GROUP = 4;
/** A pause is longer by up to this part, so that what failed together is not tried together again. */
const JITTER = 0.2;
/** What is kept of why a try failed, in characters. */
const REASON_LENGTH = 500;

/** Does the work of one reaction, some at once, what is of one lane in order. What is cut off is done again, by its id. */
export class Worker {
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #groups = new Map<string, number>();

  constructor(private readonly options: WorkerOptions) {}

  /** Begins what is due and has a place. */
  async look(signal: AbortSignal): Promise<void> {
    const { pool, reaction } = this.options;
    if (this.#underWay.size >= AT_ONCE) return;
    const held = [...(await reaction.heldGroups(pool)), ...this.#fullGroups()];
    const underWay = [...this.#underWay.keys()];
    const due = await takeDue(pool, reaction.name, { underWay, held, perGroup: PER_GROUP });
    for (const work of due) {
      if (this.#underWay.size >= AT_ONCE || signal.aborted) return;
      if ((this.#groups.get(work.group) ?? 0) >= PER_GROUP) continue;
      this.#begin(work, signal);
    }
  }

  /** Comes back when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #fullGroups(): readonly string[] {
    return [...this.#groups].filter(([, count]) => count >= PER_GROUP).map(([group]) => group);
  }

  #begin(work: DueWork, signal: AbortSignal): void {
    const { wake, onTrouble } = this.options;
    this.#groups.set(work.group, (this.#groups.get(work.group) ?? 0) + 1);
    const trying = this.#try(work, signal)
      .catch(onTrouble) // how it ended is not kept: it is done again
      .finally(() => {
        this.#underWay.delete(work.id);
        const left = (this.#groups.get(work.group) ?? 1) - 1;
        if (left === 0) this.#groups.delete(work.group);
        else this.#groups.set(work.group, left);
        wake();
      });
    this.#underWay.set(work.id, trying);
  }

  async #try(work: DueWork, signal: AbortSignal): Promise<void> {
    const { pool, reaction, onEnd } = this.options;
    const end = await this.#endOf(work, signal);
    if (end === null) return;
    await endTry(pool, reaction.name, work, end);
    onEnd(reaction.name, end.outcome);
  }

  /** How a try ended; `null` where this instance is to stop, which says nothing of the work. */
  async #endOf(work: DueWork, signal: AbortSignal): Promise<TryEnd | null> {
    const { reaction } = this.options;
    try {
      await reaction.perform(work, signal);
      return { outcome: 'done' };
    } catch (error) {
      if (signal.aborted) return null;
      const why = (error instanceof Error ? error.message : String(error)).slice(0, REASON_LENGTH);
      const pause = reaction.retryAfterMs[work.attempts];
      if (pause === undefined || error instanceof UselessWorkError) return { outcome: 'dead', why };
      const asked = error instanceof LaterWorkError ? error.afterMs : 0;
      return {
        outcome: 'again',
        inMs: Math.round(Math.max(pause, asked) * (1 + JITTER * Math.random())),
        why,
      };
    }
  }
}
