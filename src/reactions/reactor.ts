import type { Pool } from 'pg';
import type { EventStore } from '../event-store/event-store.js';
import { LeaderElection } from '../projections/engine/leader-election.js';
import { WakeSignal } from '../projections/engine/wake-signal.js';
import { dropOldDeadLetters } from './dead-letters.js';
import type { PageSize } from './occurrences.js';
import type { Reaction } from './reaction.js';
import { type RoundEnd, reactOnce } from './reaction-round.js';
import { countWork } from './work-store.js';
import { Worker } from './worker.js';

/** What hears how reactions go on. */
export interface ReactorMetrics {
  reactionWork(reaction: string, outcome: 'done' | 'again' | 'dead'): void;
  reactionWritten(reaction: string, count: number): void;
}

export interface ReactorOptions {
  readonly pool: Pool;
  /** Connection string for the session that leads and listens. */
  readonly url: string;
  readonly store: Pick<EventStore, 'readAll' | 'eventAt'>;
  readonly reactions: readonly Reaction[];
  /** Whether the log is the one that the read models were made from: else nothing is looked at. */
  readonly isLogKnown: () => boolean;
  readonly metrics: ReactorMetrics;
  /** Hears what kept a reaction from going on; it is tried again. */
  readonly onTrouble: (reaction: string | null, error: unknown) => void;
  readonly pageSize?: PageSize;
}

/** Work that waits or was given up, as the leader last counted it. */
export type WorkCounts = Awaited<ReturnType<typeof countWork>>;

/** A missed notification costs at most this long; so does work that becomes due. Milliseconds. */
const LOOK_MS = 500;
const TROUBLE_PAUSE_MS = 2_000;
/** Interval between two tries to lead. */
const STANDBY_MS = 1_000;
const COUNT_EVERY_MS = 5_000;
const DROP_EVERY_MS = 600_000;

/**
 * Runs reactions (DESIGN 12, 13): of all instances one, which holds an advisory lock, follows what the live generation has
 * folded and does the work that comes of it. Leading saves work and keeps the order; that nothing is lost or begun twice
 * hangs on the checkpoints alone, which are moved by compare-and-set in the transaction that writes the work.
 */
export class Reactor {
  readonly #wakeSignal = new WakeSignal();
  readonly #stopping = new AbortController();
  readonly #workers = new Map<string, Worker>();
  /** Whether the log may have gone on since it was looked at, and the reactions of which a try has ended since. */
  #hasNews = true;
  readonly #ended = new Set<string>();
  /** Reactions that wanted nothing when they were asked last: what is new is no news to them until the next look by the clock. */
  readonly #asleep = new Set<string>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #leading: AbortController | null = null;
  #run: Promise<void> | null = null;
  #counts: WorkCounts = [];
  #countedAt = Number.NEGATIVE_INFINITY;
  #droppedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ReactorOptions) {
    const { pool, metrics, onTrouble } = options;
    for (const reaction of options.reactions) {
      const worker = new Worker({
        pool,
        reaction,
        onEnd: (name, outcome) => metrics.reactionWork(name, outcome),
        onTrouble: (error) => onTrouble(reaction.name, error),
        wake: () => {
          this.#ended.add(reaction.name);
          this.#wakeSignal.wake();
        },
      });
      this.#workers.set(reaction.name, worker);
    }
  }

  start(): void {
    this.#run ??= this.#live();
  }

  /** Looks at once: there is something new to do. */
  wake(): void {
    this.#hasNews = true;
    this.#wakeSignal.wake();
  }

  /** Ends what is under way; what did not end is done again by whoever leads next. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#leading?.abort();
    this.#wakeSignal.wake();
    await this.#run;
  }

  get isLeading(): boolean {
    return this.#leading !== null;
  }

  /** What waits and what was given up, where this instance leads. */
  get counts(): WorkCounts {
    return this.#counts;
  }

  async #live(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#withSession();
      } catch (error) {
        this.options.onTrouble(null, error);
        await this.#pause(TROUBLE_PAUSE_MS);
      }
    }
  }

  async #withSession(): Promise<void> {
    const lead = new AbortController();
    const hooks = {
      onNotification: () => this.wake(),
      onLost: () => {
        lead.abort();
        this.#wakeSignal.wake();
      },
    };
    const election = await LeaderElection.open(
      this.options.url,
      { projection: 'all', lead: 'reactions' },
      hooks,
    );
    try {
      while (!this.#stopping.signal.aborted && !election.isLost) {
        if (await election.tryToLead()) await this.#lead(lead);
        else await this.#pause(STANDBY_MS);
      }
    } finally {
      if (!election.isLost) await election.close();
    }
  }

  async #lead(lead: AbortController): Promise<void> {
    this.#leading = lead;
    this.#hasNews = true;
    try {
      while (!lead.signal.aborted && !this.#stopping.signal.aborted) {
        const isMore = await this.#goOn(lead.signal);
        if (!isMore) await this.#wakeSignal.wait(Math.max(1, this.#lookedAt + LOOK_MS - performance.now()));
      }
    } finally {
      lead.abort();
      this.#leading = null;
      this.#counts = [];
      await Promise.all([...this.#workers.values()].map((worker) => worker.settled()));
    }
  }

  /**
   * A page of each reaction that is awake, and its work; where no more than a try has ended, the work of that reaction alone, which
   * costs a tenth of the statements. One that fails holds up no other. Whether there may be more of the log.
   */
  async #goOn(signal: AbortSignal): Promise<boolean> {
    const isTime = performance.now() - this.#lookedAt >= LOOK_MS;
    const hasNews = this.#hasNews;
    if (isTime) this.#lookedAt = performance.now();
    this.#hasNews = false;
    for (const reaction of this.options.reactions) {
      if (signal.aborted) return false;
      const hasEnded = this.#ended.delete(reaction.name);
      const isDue = isTime || (hasNews && !this.#asleep.has(reaction.name));
      try {
        if (isDue) await this.#follow(reaction);
        if (isDue || hasEnded) await this.#workers.get(reaction.name)?.look(signal);
      } catch (error) {
        this.options.onTrouble(reaction.name, error);
      }
    }
    await this.#count();
    await this.#dropOld();
    return this.#hasNews;
  }

  async #follow(reaction: Reaction): Promise<void> {
    const { written, mayBeMore, outcome } = await this.#react(reaction);
    if (outcome === 'asleep') this.#asleep.add(reaction.name);
    else this.#asleep.delete(reaction.name);
    if (written > 0) this.options.metrics.reactionWritten(reaction.name, written);
    this.#hasNews ||= mayBeMore;
  }

  async #react(reaction: Reaction): Promise<RoundEnd> {
    const { pool, store, pageSize, isLogKnown } = this.options;
    if (!isLogKnown()) return { written: 0, mayBeMore: false, outcome: 'level' };
    return reactOnce({ pool, store, ...(pageSize === undefined ? {} : { size: pageSize }) }, reaction);
  }

  async #count(): Promise<void> {
    if (performance.now() - this.#countedAt < COUNT_EVERY_MS) return;
    this.#countedAt = performance.now();
    try {
      this.#counts = await countWork(this.options.pool);
    } catch (error) {
      this.options.onTrouble(null, error);
    }
  }

  /** At the begin of a lead, and every ten minutes. */
  async #dropOld(): Promise<void> {
    if (performance.now() - this.#droppedAt < DROP_EVERY_MS) return;
    this.#droppedAt = performance.now();
    try {
      await dropOldDeadLetters(this.options.pool);
    } catch (error) {
      this.options.onTrouble(null, error);
    }
  }

  /** Waits, unless this instance is to stop. */
  async #pause(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (!this.#stopping.signal.aborted && performance.now() < until) {
      await this.#wakeSignal.wait(Math.max(1, until - performance.now()));
    }
  }
}
