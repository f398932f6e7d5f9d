import { setTimeout as pause } from 'node:timers/promises';
import { EventStoreUnavailableError, LogReplacedError } from '../../event-store/errors.js';
import type { EventStore } from '../../event-store/event-store.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { isEarlier, type LiveCheckpoint } from './checkpoint.js';
import { holdsEventOf } from './projection-source.js';
import { SharedLook } from './shared-look.js';
import { WakeSignal } from './wake-signal.js';

/** The log compared with the live checkpoint. `isKnown`: the log holds the event of that checkpoint. */
export interface LogLook {
  readonly live: LiveCheckpoint | null;
  readonly end: Position | null;
  readonly isKnown: boolean;
}

/** Since when the log is not the one that the read models were made from, what they know, and where it ends. */
export interface LogReplaced {
  readonly since: Date;
  readonly handled: Position | null;
  readonly end: Position | null;
}

export interface LogWatchOptions {
  /** Asks the log's leader. */
  readonly store: Pick<EventStore, 'head' | 'eventIdAt'>;
  readonly readCheckpoint: () => Promise<LiveCheckpoint | null>;
  readonly onReplaced: (replaced: LogReplaced) => void;
  readonly onHealed: () => void;
  /** What was folded in memory may be of events that are gone: the log is another one, or a server lost its last commits. */
  readonly onForget: () => void;
  /** A look failed, which says nothing of the log; reported once, when looks begin to fail. */
  readonly onTrouble: (error: unknown) => void;
  /** Milliseconds between two looks, which is how far apart two must be that find the same. */
  readonly everyMs?: number;
}

const EVERY_MS = 1_000;
/** A write waits no longer than this for the second look, in milliseconds. */
const DOUBT_MS = 4_000;

/** Looks once. The checkpoint is read first: the log that it was made from reaches at least as far afterwards. */
export async function lookAtLog(
  store: LogWatchOptions['store'],
  readCheckpoint: LogWatchOptions['readCheckpoint'],
): Promise<LogLook> {
  const live = await readCheckpoint();
  const [end, isKnown] = await Promise.all([
    store.head(),
    live === null ? true : holdsEventOf(store, live.checkpoint),
  ]);
  return { live, end, isKnown: isKnown && comparePositions(live?.checkpoint.handled ?? null, end) <= 0 };
}

/**
 * Watches whether the log is the one that the read models were made from (DESIGN 12, "A log that is not the one we know"):
 * each second, at the start, and where an append is answered with a position that was passed. Where two looks a second
 * apart find that it is not, nothing is written any more and what is in memory is dropped, until a look finds the event of
 * the checkpoint again: the right log is back, or the one that is there was adopted.
 */
export class LogWatch {
  readonly #looks: SharedLook<LogLook>;
  readonly #ends: SharedLook<Position | null>;
  readonly #wakeSignal = new WakeSignal();
  readonly #everyMs: number;
  /** When the first of the looks began that found another log, of `performance.now()`; `null` while the log is known. */
  #doubtedAt: number | null = null;
  #settled: PromiseWithResolvers<void> | null = null;
  #replaced: LogReplaced | null = null;
  #confirmed: LiveCheckpoint | null = null;
  #isFailing = false;
  #stopping = false;
  #run: Promise<void> | null = null;

  constructor(private readonly options: LogWatchOptions) {
    this.#everyMs = options.everyMs ?? EVERY_MS;
    this.#looks = new SharedLook(() => this.#look());
    this.#ends = new SharedLook(() => options.store.head());
  }

  /** `null` while the log is the known one, as far as two looks can show. */
  get replaced(): LogReplaced | null {
    return this.#replaced;
  }

  /** Begins to watch; comes back once it can say which log it is. @throws what is in the way of the first looks */
  async start(): Promise<void> {
    await this.#looks.ask();
    this.#run = this.#watch();
    await this.#settled?.promise;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wakeSignal.wake();
    await this.#run;
    this.#settle();
  }

  /** To be called before whatever writes. `undefined` when nothing is in the way. @throws LogReplacedError */
  mayWrite(): Promise<void> | undefined {
    return this.#doubtedAt === null ? undefined : this.#untilSettled();
  }

  /** The last event that the live checkpoint is known to have, to be asked before an append; `null` before the first. */
  get handled(): Position | null {
    return this.#confirmed?.checkpoint.handled ?? null;
  }

  /**
   * To be called with the answer of an append, and with `handled` as it was before. One that is not above it is that of a
   * repeat, or of another log: which one, a look shows.
   * @throws LogReplacedError
   */
  async appended(position: Position, handledBefore: Position | null): Promise<void> {
    if (comparePositions(position, handledBefore) > 0) return;
    await this.#looks.ask().catch((error: unknown) => this.#failed(error));
    await this.mayWrite();
  }

  /**
   * Where the log ends, by a look that began after this call. Calls at the same time share one.
   * @throws what the store throws, which says nothing of the log
   */
  end(): Promise<Position | null> {
    return this.#ends.ask();
  }

  /**
   * Whether the log is the known one, by a look that began after this call: what was read of it before is then of that one.
   * @throws what the store throws, which says nothing of the log
   */
  async isKnownNow(): Promise<boolean> {
    return (await this.#looks.ask()).isKnown && this.#replaced === null;
  }

  /** To be called, soon, whenever this instance reads or writes the live checkpoint. */
  confirmed(live: LiveCheckpoint): void {
    if (this.#confirmed === null || isEarlier(this.#confirmed, live)) this.#confirmed = live;
    else if (isEarlier(live, this.#confirmed)) this.#wakeSignal.wake(); // a late message; or a server lost its last commits
  }

  async #watch(): Promise<void> {
    while (!this.#stopping) {
      await this.#wakeSignal.wait(this.#everyMs);
      if (!this.#stopping) await this.#looks.ask().catch((error: unknown) => this.#failed(error));
    }
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.options.onTrouble(error);
    this.#isFailing = true;
  }

  async #look(): Promise<LogLook> {
    const began = performance.now();
    const known = this.#confirmed;
    const look = await lookAtLog(this.options.store, this.options.readCheckpoint);
    if (look.live !== null && known !== null && isEarlier(look.live, known)) {
      this.#confirmed = look.live;
      this.options.onForget();
    } else if (look.live !== null) {
      this.confirmed(look.live);
    }
    this.#isFailing = false;
    if (look.isKnown) this.#isKnown();
    else this.#isAnother(look, began);
    return look;
  }

  #isKnown(): void {
    const wasReplaced = this.#replaced !== null;
    this.#doubtedAt = null;
    this.#replaced = null;
    if (wasReplaced) {
      this.options.onForget();
      this.options.onHealed();
    }
    this.#settle();
  }

  #isAnother({ live, end }: LogLook, began: number): void {
    if (this.#doubtedAt === null) {
      this.#doubtedAt = began;
      this.#settled = withResolvers();
    }
    if (this.#replaced !== null || began - this.#doubtedAt < this.#everyMs) return;
    this.#replaced = { since: new Date(), handled: live?.checkpoint.handled ?? null, end };
    this.options.onForget();
    this.options.onReplaced(this.#replaced);
    this.#settle();
  }

  #settle(): void {
    this.#settled?.resolve();
    this.#settled = null;
  }

  async #untilSettled(): Promise<void> {
    if (this.#settled !== null) {
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, DOUBT_MS);
      });
      await Promise.race([this.#settled.promise, tooLong]);
      clearTimeout(timer);
    }
    if (this.#replaced !== null) throw replacedError(this.#replaced);
    if (this.#doubtedAt !== null) throw new EventStoreUnavailableError('which log it is cannot be known now');
  }
}

/** For a writer that does not go on watching: asked before a write, it looks, and where that finds another log once more. */
export function knownLogOnly(
  store: LogWatchOptions['store'],
  readCheckpoint: LogWatchOptions['readCheckpoint'],
): () => Promise<void> {
  return async () => {
    if ((await lookAtLog(store, readCheckpoint)).isKnown) return;
    await pause(EVERY_MS);
    const { live, end, isKnown } = await lookAtLog(store, readCheckpoint);
    if (!isKnown) throw replacedError({ handled: live?.checkpoint.handled ?? null, end });
  };
}

/** What a write is refused with. */
export function replacedError({ handled, end }: Pick<LogReplaced, 'handled' | 'end'>): LogReplacedError {
  return new LogReplacedError(
    `the log is not the one that the read models were made from: they know events up to ${handled ?? 'nothing'}, ` +
      `it ends at ${end ?? 'nothing'}, or holds another event there`,
  );
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
}

function withResolvers(): PromiseWithResolvers<void> {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((yes) => {
    resolve = yes;
  });
  return { promise, resolve };
}
