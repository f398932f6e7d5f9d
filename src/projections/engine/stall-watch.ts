import type { EngineProgress } from './engine-progress.js';
import type { LogHead } from './log-head.js';

const WATCH_EVERY_MS = 1_000;
/** Maximum age of the known head while a round is under way, in milliseconds: nothing else asks for it then. */
const HEAD_AGE_MS = 2_000;

export interface StallWatchOptions {
  readonly progress: EngineProgress;
  readonly head: LogHead;
  /** How long a leader may stand still, or get no answer of the log, in milliseconds. */
  readonly stuckMs: number;
  /** The leader did not move though the log is ahead. */
  readonly onStalled: (why: Error) => void;
  /** The log did not answer the leader. */
  readonly onLogSilent: (why: Error) => void;
}

/**
 * Watches whether a leader moves, and whether its log answers. A leader that does not move, though there is more to read, waits
 * for an answer that never comes. Seconds of waiting count, not of work: while this thread works no timer fires.
 */
export class StallWatch {
  #stillSeconds = 0;
  #silentSeconds = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly options: StallWatchOptions) {}

  start(): void {
    this.#timer = setInterval(() => this.#look(), WATCH_EVERY_MS);
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** The leader moved its checkpoint, or began to lead. */
  moved(): void {
    this.#stillSeconds = 0;
  }

  /** The log answered. */
  logAnswered(): void {
    this.#silentSeconds = 0;
  }

  #look(): void {
    const { progress, head, stuckMs, onStalled, onLogSilent } = this.options;
    const isLeading = progress.state === 'leading';
    if (isLeading && head.ageMs > HEAD_AGE_MS) void head.ask();
    this.#stillSeconds = isLeading && progress.isBehind ? this.#stillSeconds + 1 : 0;
    this.#silentSeconds = isLeading ? this.#silentSeconds + 1 : 0;
    if (this.#silentSeconds * WATCH_EVERY_MS >= stuckMs) {
      this.#silentSeconds = 0;
      onLogSilent(new Error(`no answer from the log within ${stuckMs} ms: another instance may lead`));
    }
    if (this.#stillSeconds * WATCH_EVERY_MS >= stuckMs) {
      this.#stillSeconds = 0;
      onStalled(new Error(`no answer from the database within ${stuckMs} ms: the projection did not move`));
    }
  }
}
