import type { EventStream } from '../http/event-stream.js';
import type { SnapshotWatch } from './snapshot-watch.js';
import type { LastSeen, SnapshotEvent, ToldSnapshot } from './told-snapshot.js';

/** What a stream tells of a snapshot, as it is sent, after the one before it (`null` of the first); `null` where it is nothing to it. */
export type Teller = (event: SnapshotEvent, told: ToldSnapshot, before: ToldSnapshot | null) => string | null;

/** Tells every snapshot, whole. */
export const tellSnapshot: Teller = (event, told) => told.text(event);

/** Of whom a stream tells, and what. */
export interface UserStream {
  readonly userId: string;
  /** What a client that comes again had when its stream broke off; `null` of one that never had one. */
  readonly seen: LastSeen | null;
  readonly tell: Teller;
}

/**
 * Tells a user's snapshot, then each other one as it comes, until nobody listens any more. The first event is `snapshot`;
 * for a client that comes again, with what it had `seen`, it is `change` or `update` where that is outdated. A client that
 * is slow to take what was sent gets the newest snapshot alone once it has room.
 */
export async function streamUser(
  watch: Pick<SnapshotWatch, 'listen'>,
  { userId, seen, tell }: UserStream,
  stream: EventStream,
): Promise<void> {
  const send = (event: SnapshotEvent, told: ToldSnapshot, before: ToldSnapshot | null): void => {
    const text = tell(event, told, before);
    if (text !== null) stream.sendText(text);
  };
  const latest = new Latest<ToldSnapshot>(stream.signal);
  const leave = watch.listen(userId, (told) => latest.put(told));
  try {
    const first = await latest.take();
    if (first === null) return;
    send((seen === null ? null : first.eventAfter(seen)) ?? 'snapshot', first, null);
    let last = first;
    for (;;) {
      await stream.room();
      const told = await latest.take();
      if (told === null) return;
      const { etag, snapshot } = last.served;
      const event = told.eventAfter({ etag, version: snapshot.revocationVersion });
      if (event === null) continue;
      send(event, told, last);
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
