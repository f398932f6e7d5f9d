import type { Pool } from 'pg';
import { z } from 'zod';
import { NamedError } from '../observability/named-error.js';

/** DI token of this machine's clock, which tells Unix milliseconds; what is written asks `ServerClock`. */
export const MACHINE_CLOCK = Symbol('MACHINE_CLOCK');

/** Our clock and the database server's may be so far apart, in milliseconds; farther, and one of them is wrong. */
export const APART_MS = 30_000;
const MEASURE_EVERY_MS = 10_000;
/** Where the clock was set, it is measured again at once, but not more often than this. */
const MEASURE_AGAIN_MS = 1_000;

/**
 * This instance's clock and the database server's are more than `APART_MS` apart. What would be written now would be told
 * at a wrong time for ever: nothing is, until they agree.
 */
export class ClockDiffersError extends NamedError {
  readonly code = 'clock_differs';
  readonly mayPass = true;
  readonly isTimeout = false;
  constructor(differenceMs: number) {
    const seconds = Math.round(Math.abs(differenceMs) / 1_000);
    super(
      `this machine's clock is ${seconds} s ${differenceMs > 0 ? 'ahead of' : 'behind'} the database server's: nothing is ` +
        'written until they agree; look at the time synchronisation of both',
    );
  }
}

export interface ServerClockOptions {
  readonly pool: Pick<Pool, 'query'>;
  /** This machine's clock, Unix milliseconds; may be set at any time. */
  readonly now?: () => number;
  /** Listener that is called once when the clocks begin to differ, and once when they agree again. */
  readonly onDiffers?: (why: ClockDiffersError) => void;
  readonly onAgrees?: () => void;
}

/** The server's time at a moment of this process' own time, which nobody can set; both in milliseconds. */
interface Measured {
  readonly serverMs: number;
  readonly at: number;
  /** Half of the time that the answer took: the server's time is known no better. */
  readonly within: number;
}

const clockRow = z.tuple([z.object({ ms: z.coerce.number() })]);

/**
 * A clock that refuses to tell a time that is wrong (DESIGN 8, "Time"): this machine's, compared with the database
 * server's at the start and every ten seconds. In between the server's time is counted on by a clock that cannot be set, so
 * that a clock that jumps is found out by the very next question.
 */
export class ServerClock {
  readonly #now: () => number;
  #measured: Measured | null = null;
  #differs = false;
  #timer: NodeJS.Timeout | null = null;
  #measuring: Promise<void> | null = null;

  constructor(private readonly options: ServerClockOptions) {
    this.#now = options.now ?? Date.now;
  }

  /** Measures, and goes on to measure until `stop`. @throws what the database answers to the first measurement */
  async start(): Promise<void> {
    await this.measure();
    this.#timer = setInterval(() => this.#measureSoon(), MEASURE_EVERY_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Compares the clocks now. @throws what the database answers */
  async measure(): Promise<void> {
    const asked = performance.now();
    const { rows } = await this.options.pool.query(
      'select (extract(epoch from clock_timestamp()) * 1000)::text as ms',
    );
    const answered = performance.now();
    const [{ ms: serverMs }] = clockRow.parse(rows);
    this.#measured = { serverMs, at: (asked + answered) / 2, within: (answered - asked) / 2 };
    this.#look();
  }

  /** Milliseconds that this machine's clock is ahead (behind: negative) at least; 0 before the first measurement. */
  get differenceMs(): number {
    if (this.#measured === null) return 0;
    const { serverMs, at, within } = this.#measured;
    const difference = this.#now() - (serverMs + performance.now() - at);
    return Math.sign(difference) * Math.max(0, Math.abs(difference) - within);
  }

  /** Whether the clocks are too far apart to write anything. */
  get differs(): boolean {
    this.#look();
    return this.#differs;
  }

  /** Unix milliseconds. @throws ClockDiffersError */
  now(): number {
    if (this.differs) throw new ClockDiffersError(this.differenceMs);
    return this.#now();
  }

  #look(): void {
    const { differenceMs } = this;
    const differs = Math.abs(differenceMs) > APART_MS;
    // Was it this clock that was set, or did the process sleep while the other went on? A measurement tells.
    if (differs && performance.now() - (this.#measured?.at ?? 0) > MEASURE_AGAIN_MS) this.#measureSoon();
    if (differs === this.#differs) return;
    this.#differs = differs;
    if (differs) this.options.onDiffers?.(new ClockDiffersError(differenceMs));
    else this.options.onAgrees?.();
  }

  /** A measurement that fails changes nothing: that the database is away is told by whoever needs it. */
  #measureSoon(): void {
    this.#measuring ??= this.measure()
      .catch(() => undefined)
      .finally(() => {
        this.#measuring = null;
      });
  }
}
