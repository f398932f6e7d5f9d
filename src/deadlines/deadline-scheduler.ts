import { randomUUID } from 'node:crypto';
import type { CommandResult } from '../commands/aggregate.js';
import { ReachAccessDeadline } from '../commands/deadline.aggregate.js';
import { isTransient } from '../database/transient.js';
import { AccessDeniedError, LogReplacedError } from '../event-store/errors.js';
import { comparePositions, type Position } from '../events/stored-event.js';
import type { Metrics } from '../observability/metrics.js';
import { WakeSignal } from '../projections/engine/wake-signal.js';
import type { DeadlineReader, DueDeadline } from '../projections/read-models/deadline.reader.js';

export interface DeadlineSchedulerOptions {
  readonly deadlines: Pick<DeadlineReader, 'due'>;
  readonly commands: { execute(command: ReachAccessDeadline): Promise<CommandResult> };
  /**
   * Whether this instance is the one to look. It saves the others the work and nothing hangs on it: two that both look
   * append each deadline once.
   */
  readonly isOurs: () => boolean;
  /** The last event in the read models. */
  readonly handled: () => Position | null;
  readonly metrics: Pick<Metrics, 'deadline'>;
  /** Hears what kept a user's deadline (`null`: all of them) from the log; it is tried again. */
  readonly onTrouble: (userId: string | null, error: unknown) => void;
  /** Unix milliseconds. */
  readonly now?: () => number;
  readonly pageSize?: number;
}

/** Milliseconds between looks; a deadline is promised within 5 s of its instant. */
const LOOK_EVERY_MS = 1_000;
const TROUBLE_PAUSE_MS = 2_000;
/** However many are due after a long downtime: so many in memory, and so many appends under way. */
const PAGE_SIZE = 500;
const MAX_AT_ONCE = 16;

/**
 * Appends `AccessDeadlineReached` for every stored successor whose instant has come (DESIGN 8, "Time"), so that what
 * queries already answer by the clock is also written, with its place in the history and the feed. Reads the instants
 * from the read models, never from memory: a restart, or another instance, goes on where this one was.
 */
export class DeadlineScheduler {
  /** Told apart from other instances, so that of two identical events at the same millisecond one is the other's. */
  readonly #correlationId = `deadlines ${randomUUID()}`;
  readonly #wakeSignal = new WakeSignal();
  readonly #now: () => number;
  readonly #pageSize: number;
  /** The last deadline this instance knows to be in the log. */
  #last: Position | null = null;
  /** How often it was told to forget: what was begun before then says nothing of `#last`. */
  #forgotten = 0;
  /** The instant (Unix ms) of the oldest deadline that was due at the last look. */
  #oldest: number | null = null;
  #stopping = false;
  #run: Promise<void> | null = null;

  constructor(private readonly options: DeadlineSchedulerOptions) {
    this.#now = options.now ?? Date.now;
    this.#pageSize = options.pageSize ?? PAGE_SIZE;
  }

  start(): void {
    this.#run ??= this.#live();
  }

  /** Comes back when the appends at hand have ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeSignal.wake();
    await this.#run;
  }

  /** Positions of the log mean nothing any more: what is due is looked up anew. */
  forget(): void {
    this.#last = null;
    this.#forgotten += 1;
  }

  /** Seconds by which the oldest change by time is overdue that was not in the read models at the last look. */
  get lagSeconds(): number {
    return this.#oldest === null ? 0 : Math.max(0, this.#now() - this.#oldest) / 1000;
  }

  async #live(): Promise<void> {
    while (!this.#stopping) await this.#wakeSignal.wait(await this.#look());
  }

  /** One look at what is due; milliseconds until the next. */
  async #look(): Promise<number> {
    try {
      return (await this.#appendDue()) === 'done' ? LOOK_EVERY_MS : TROUBLE_PAUSE_MS;
    } catch (error) {
      this.options.onTrouble(null, error);
      return TROUBLE_PAUSE_MS;
    }
  }

  /** Throws what stands in the way of all of them. */
  async #appendDue(): Promise<'done' | 'some failed'> {
    const { deadlines, isOurs, handled } = this.options;
    if (!isOurs()) {
      this.#oldest = null;
      return 'done';
    }
    // Until the projection has folded what the last look appended, the same would be found due again.
    if (comparePositions(handled(), this.#last) < 0) return 'done';
    let outcome: 'done' | 'some failed' = 'done';
    for (let after: DueDeadline | null = null; !this.#stopping && isOurs(); ) {
      const page = await deadlines.due(this.#now(), after, this.#pageSize);
      if (after === null) this.#oldest = page[0]?.at ?? null;
      if ((await this.#appendPage(page)) === 'some failed') outcome = 'some failed';
      after = page.at(-1) ?? null;
      if (after === null || page.length < this.#pageSize) break;
    }
    return outcome;
  }

  /** A few at once. One that fails holds up no other, unless it is the store that failed: that is thrown. */
  async #appendPage(page: readonly DueDeadline[]): Promise<'done' | 'some failed'> {
    const left = page.values();
    let failed = false;
    const away: unknown[] = [];
    const work = async (): Promise<void> => {
      for (const due of left) {
        if (away.length > 0 || this.#stopping) return;
        try {
          await this.#append(due);
        } catch (error) {
          this.options.metrics.deadline('failed');
          if (isStoreAway(error)) away.push(error);
          else this.options.onTrouble(due.userId, error);
          failed = true;
        }
      }
    };
    await Promise.all(Array.from({ length: MAX_AT_ONCE }, work));
    if (away.length > 0) throw away[0];
    return failed ? 'some failed' : 'done';
  }

  async #append({ userId, at }: DueDeadline): Promise<void> {
    const { commands, metrics } = this.options;
    const forgotten = this.#forgotten;
    const origin = { actor: 'service', correlationId: this.#correlationId, stripe: null };
    const { outcome, position } = await commands.execute(new ReachAccessDeadline(userId, at, origin));
    const isOfThisLog = forgotten === this.#forgotten;
    if (isOfThisLog && comparePositions(position, this.#last) > 0) this.#last = position;
    metrics.deadline(outcome === 'applied' ? 'appended' : 'known');
  }
}

/** Whether the next append would fail likewise. */
function isStoreAway(error: unknown): boolean {
  return isTransient(error) || error instanceof AccessDeniedError || error instanceof LogReplacedError;
}
