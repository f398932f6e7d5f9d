import type { EventStream } from '../http/event-stream.js';
import type { SnapshotWatch } from './snapshot-watch.js';
import type { LastSeen, ToldSnapshot } from './told-snapshot.js';

/**
 * Sends a user's snapshot, then each other one as it comes, until nobody listens any more. The first event is `snapshot`;
 * for a client that comes again, with what it had `seen`, it is `change` or `update` where that is outdated. A client that
 * is slow to take what was sent gets the newest snapshot alone once it has room.
 */
export async function streamUser(
  watch: Pick<SnapshotWatch, 'listen'>,
  userId: string,
  seen: LastSeen | null,
  stream: EventStream,
): Promise<void> {
  const latest = new Latest<ToldSnapshot>(stream.signal);
  const leave = watch.listen(userId, (told) => latest.put(told));
  try {
    const first = await latest.take();
    if (first === null) return;
    stream.sendText(first.text((seen === null ? null : first.eventAfter(seen)) ?? 'snapshot'));
    let last = first;
    for (;;) {
      await stream.room();
      const told = await latest.take();
      if (told === null) return;
      const { etag, snapshot } = last.served;
      const event = told.eventAfter({ etag, version: snapshot.revocationVersion });
      if (event === null) continue;
      stream.sendText(told.text(event));
      last = told;
    }
  } finally {
    leave();
  }
}

/** The newest of what is put in, for one who takes it out. */
export class Latest<Value> {
  #value: Value | null = null;
  #wake: () => void = () => undefined;

  constructor(private readonly over: AbortSignal) {
    over.addEventListener('abort', () => this.#wake());
  }

  put(value: Value): void {
    this.#value = value;
    this.#wake();
  }

  /** The newest since the last was taken, as soon as there is one; `null` once it is over. */
  async take(): Promise<Value | null> {
    while (this.#value === null && !this.over.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const value = this.over.aborted ? null : this.#value;
    this.#value = null;
    return value;
  }
}
