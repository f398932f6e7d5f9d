import type { EventStore } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { streamName } from '../../events/stream-names.js';
import { projectionSource } from '../../projections/engine/projection-source.js';
import { readEvent, UnreadableEvent } from '../../projections/engine/unreadable-event.js';
import { ENTITLEMENTS } from '../../projections/entitlements/entitlements.projector.js';
import type { UserStreams } from './user-streams.reader.js';

/** Streams that are read at once. */
const AT_ONCE = 4;

/** The first event that is missing of a user's, and since when (Unix ms). */
export interface Missing {
  readonly position: Position;
  readonly since: number;
}

/** A user's events up to the checkpoint, and what of them is set aside. */
export interface UserEvents {
  readonly events: readonly EventEnvelope[];
  readonly missing: readonly Missing[];
}

/** Reads the streams of a user from the log, as far as the live generation has folded them. */
export class UserEventsReader {
  constructor(
    private readonly store: EventStore,
    private readonly streamPrefix: string,
  ) {}

  /** The events of these streams; those that are set aside, with all behind them, are left out, as the fold leaves them out. */
  async read(userId: string, { streams, handled, setAside }: UserStreams): Promise<UserEvents> {
    const names = streams.map((subject) => streamName(this.streamPrefix, subject)).sort();
    const events: EventEnvelope[] = [];
    const missing = setAside.filter(({ users }) => users.includes(userId));
    for (let first = 0; first < names.length; first += AT_ONCE) {
      const some = names.slice(first, first + AT_ONCE);
      const read = await Promise.all(some.map((name) => this.store.read(name, 0)));
      for (const [n, stored] of read.entries()) {
        const aside = setAside.find(({ stream }) => stream === some[n]);
        const folded = stored.filter(
          ({ position, revision }) =>
            comparePositions(position, handled) <= 0 && (aside === undefined || revision < aside.revision),
        );
        events.push(...(await this.#readable(folded)));
      }
    }
    return { events, missing };
  }

  /** Events of a stream up to the first that cannot be read, but for those that operators let the fold go past. */
  async #readable(stored: readonly StoredEvent[]): Promise<readonly EventEnvelope[]> {
    const readable: EventEnvelope[] = [];
    for (const each of stored) {
      const event = readEvent(each);
      if (!(event instanceof UnreadableEvent)) readable.push(event);
      else if (!(await projectionSource(this.store, this.streamPrefix, ENTITLEMENTS).isSkipped(each))) break;
    }
    return readable;
  }
}
