import type { Pool } from 'pg';
import { type DueWork, HeldWorkError, LaterWorkError, type Reaction, UselessWorkError } from './reaction.js';
import { type EndedTry, endTries, type TryEnd, takeDue } from './work-store.js';

export interface WorkerOptions {
  readonly pool: Pool;
  readonly reaction: Reaction;
  readonly onEnd: (reaction: string, outcome: TryEnd['outcome']) => void;
  readonly onTrouble: (error: unknown) => void;
  /** A try has ended, or how it ended was kept: there may be more to take. */
  readonly wake: () => void;
}

/** Tries at once of a reaction, and those together with tries that have ended and are not kept yet. */
const AT_ONCE = 128;
const UNDER_WAY = 512;
/** Work that is read before it has a place, of one group and in all: so a place that is free is filled without a look. */
const READ_AHEAD = { perGroup: 64, inAll: 256 };
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
  /** Work that was taken and waits for a place of its group: none of it is of a group that has one. */
  #ready: DueWork[] = [];
  #ended: EndedTry[] = [];
  #keeping: Promise<void> = Promise.resolve();

  constructor(private readonly options: WorkerOptions) {}

  /** Begins what is due and has a place. */
  async look(signal: AbortSignal): Promise<void> {
    const { pool, reaction } = this.options;
    if (!this.#hasPlace()) return;
    const held = await reaction.heldGroups(pool);
    this.#ready = this.#ready.filter(({ group }) => !held.includes(group));
    this.#fill(signal);
    if (!this.#hasPlace() || signal.aborted) return;
    const due = await takeDue(pool, reaction.name, {
      underWay: [...this.#underWay.keys()],
      held: [...held, ...this.#fullGroups()],
      ...READ_AHEAD,
    });
    this.#ready.push(...due);
    this.#fill(signal);
  }

  /** Comes back when nothing is under way; what was taken and not begun is left to whoever looks next. */
  async settled(): Promise<void> {
    this.#ready = [];
    await Promise.all(this.#underWay.values());
  }

  #hasPlace(): boolean {
    return this.#trying < AT_ONCE && this.#underWay.size < UNDER_WAY;
  }

  #isFull(group: string): boolean {
    return (this.#groups.get(group) ?? 0) >= this.options.reaction.atOnce;
  }

  #fullGroups(): readonly string[] {
    return [...this.#groups.keys()].filter((group) => this.#isFull(group));
  }

  /** Begins what was taken, as far as there are places. */
  #fill(signal: AbortSignal): void {
    if (signal.aborted || this.#ready.length === 0) return;
    this.#ready = this.#ready.filter((work) => {
      if (!this.#hasPlace() || this.#isFull(work.group)) return true;
      this.#begin(work, signal);
      return false;
    });
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
      const wasFull = !this.#hasPlace() || this.#isFull(work.group);
      this.#leavePlace(work.group);
      this.#fill(signal);
      if (wasFull && this.#hasPlace() && !this.#isFull(work.group)) wake();
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

  /** How a try ended; `null` where this instance is to stop or its group is held, which says nothing of the work. */
  async #endOf(work: DueWork, signal: AbortSignal): Promise<TryEnd | null> {
    const { reaction } = this.options;
    try {
      await reaction.perform(work, signal);
      return { outcome: 'done' };
    } catch (error) {
      if (signal.aborted || error instanceof HeldWorkError) return null;
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
