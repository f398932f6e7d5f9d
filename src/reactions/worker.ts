import type { Pool } from 'pg';
import { type DueWork, LaterWorkError, type Reaction, UselessWorkError } from './reaction.js';
import { type EndedTry, endTries, type TryEnd, takeDue } from './work-store.js';

export interface WorkerOptions {
  readonly pool: Pool;
  readonly reaction: Reaction;
  readonly onEnd: (reaction: string, outcome: TryEnd['outcome']) => void;
  readonly onTrouble: (error: unknown) => void;
  /** A try has ended, or how it ended was kept: there may be more to take. */
  readonly wake: () => void;
}

/** Tries at once, of a reaction and of one of its groups. */
const AT_ONCE = 16;
const PER_GROUP = 4;
/** Work that one look takes. */
const TAKEN_AT_ONCE = 64;
/** Tries at once together with those that have ended and are not kept yet. */
const UNDER_WAY = 64;
/** A pause is longer by up to this part, so that what failed together is not tried together again. */
const JITTER = 0.2;
/** What is kept of why a try failed, in characters. */
const REASON_LENGTH = 500;

/**
 * Does the work of one reaction, some at once, what is of one lane in order. What is cut off is done again, by its id. How tries
 * ended is kept together, while others are under way: what has a place waits for nobody's commit.
 */
export class Worker {
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #groups = new Map<string, number>();
  #trying = 0;
  #ended: EndedTry[] = [];
  #keeping: Promise<void> = Promise.resolve();

  constructor(private readonly options: WorkerOptions) {}

  /** Begins what is due and has a place. */
  async look(signal: AbortSignal): Promise<void> {
    const { pool, reaction } = this.options;
    if (!this.#hasPlace()) return;
    const held = [...(await reaction.heldGroups(pool)), ...this.#fullGroups()];
    const underWay = [...this.#underWay.keys()];
    const due = await takeDue(pool, reaction.name, {
      underWay,
      held,
      perGroup: PER_GROUP,
      inAll: TAKEN_AT_ONCE,
    });
    for (const work of due) {
      if (!this.#hasPlace() || signal.aborted) return;
      if ((this.#groups.get(work.group) ?? 0) >= PER_GROUP) continue;
      this.#begin(work, signal);
    }
  }

  /** Comes back when nothing is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #hasPlace(): boolean {
    return this.#trying < AT_ONCE && this.#underWay.size < UNDER_WAY;
  }

  #fullGroups(): readonly string[] {
    return [...this.#groups].filter(([, count]) => count >= PER_GROUP).map(([group]) => group);
  }

  #begin(work: DueWork, signal: AbortSignal): void {
    const { wake, onTrouble } = this.options;
    const trying = this.#try(work, signal)
      .catch(onTrouble) // how it ended is not kept: it is done again
      .finally(() => {
        this.#underWay.delete(work.id);
        wake();
      });
    this.#underWay.set(work.id, trying);
  }

  async #try(work: DueWork, signal: AbortSignal): Promise<void> {
    const { reaction, onEnd, wake } = this.options;
    this.#takePlace(work.group);
    let end: TryEnd | null;
    try {
      end = await this.#endOf(work, signal);
    } finally {
      const isWaitedFor = !this.#hasPlace() || (this.#groups.get(work.group) ?? 0) >= PER_GROUP;
      this.#leavePlace(work.group);
      if (isWaitedFor) wake();
    }
    if (end === null) return;
    await this.#keep({ work, end });
    onEnd(reaction.name, end.outcome);
  }

  #takePlace(group: string): void {
    this.#trying += 1;
    this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1);
  }

  #leavePlace(group: string): void {
    this.#trying -= 1;
    const left = (this.#groups.get(group) ?? 1) - 1;
    if (left === 0) this.#groups.delete(group);
    else this.#groups.set(group, left);
  }

  /** Comes back when it is kept, with whatever else ended while the transaction before was under way. */
  async #keep(ended: EndedTry): Promise<void> {
    const { pool, reaction } = this.options;
    this.#ended.push(ended);
    if (this.#ended.length === 1) {
      this.#keeping = this.#keeping
        .catch(() => undefined) // those whom it concerns were told
        .then(async () => {
          const together = this.#ended;
          this.#ended = [];
          await endTries(pool, reaction.name, together);
        });
    }
    await this.#keeping;
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
