import type { Served } from '../projections/entitlements/snapshot.js';
import type { SnapshotWatch } from './snapshot-watch.js';
import type { StreamPlaces } from './stream-places.js';
import type { ToldSnapshot } from './told-snapshot.js';
import { Latest } from './user-stream.js';

/** How long to wait, for what, and what ends it before. */
export interface LongPoll {
  readonly userId: string;
  readonly waitMs: number;
  /** Whether a snapshot is what is waited for. */
  readonly isNews: (served: Served) => boolean;
  /** Aborted when nobody waits any more, or who waits may no longer. */
  readonly signals: readonly AbortSignal[];
}

/** Requests that wait until a user's snapshot is another one. */
export class LongPolls {
  readonly #stopping = new AbortController();

  constructor(
    private readonly watch: Pick<SnapshotWatch, 'listen'>,
    private readonly places: StreamPlaces,
  ) {}

  /**
   * The snapshot that is waited for, or the last that was seen when the time is over, the service stops, or a signal says so;
   * `null` where none was seen by then.
   * @throws ProblemError `too_many_streams`, `streams_full`
   */
  async wait({ userId, waitMs, isNews, signals }: LongPoll): Promise<Served | null> {
    const release = this.places.take(userId);
    const over = new AbortController();
    const end = (): void => over.abort();
    const timer = setTimeout(end, waitMs);
    const enders = [this.#stopping.signal, ...signals];
    for (const signal of enders) {
      if (signal.aborted) end();
      signal.addEventListener('abort', end);
    }
    const latest = new Latest<ToldSnapshot>(over.signal);
    const leave = this.watch.listen(userId, (told) => latest.put(told));
    let seen: Served | null = null;
    try {
      for (;;) {
        const told = await latest.take();
        if (told === null) return seen;
        seen = told.served;
        if (isNews(seen)) return seen;
      }
    } finally {
      leave();
      clearTimeout(timer);
      for (const signal of enders) signal.removeEventListener('abort', end);
      release();
    }
  }

  /** Whether the service stops, so that clients had better come again later. */
  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Ends every wait, and those that are begun from now on. */
  close(): void {
    this.#stopping.abort();
  }
}
