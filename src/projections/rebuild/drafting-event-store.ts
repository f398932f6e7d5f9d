import type { AppendResult, ExpectedRevision } from '../../event-store/event-store.js';
import { EventStoreDecorator } from '../../event-store/event-store-decorator.js';
import {
  comparePositions,
  type NewEvent,
  type Position,
  type StoredEvent,
} from '../../events/stored-event.js';
import { type ProjectionSource, readBoth } from '../engine/projection-source.js';

/** Position after which drafts are placed: no log reaches it. */
const BEYOND_EVERY_LOG = '900000000000000000';

/** An event store whose appends are kept in memory, as drafts beyond its end: what they would change can be folded. */
export class DraftingEventStore extends EventStoreDecorator {
  readonly #drafts: StoredEvent[] = [];

  /** Position of the last draft; `null` while there is none. */
  get last(): Position | null {
    return this.#drafts.at(-1)?.position ?? null;
  }

  /** A log of the drafts and nothing else. */
  get log(): ProjectionSource {
    const events = this.#drafts;
    const log: ProjectionSource = {
      read: async (stream, from) => events.filter((each) => each.stream === stream && each.revision >= from),
      readAll: async (after, limit) => {
        const page = events.filter(({ position }) => comparePositions(position, after) > 0).slice(0, limit);
        return { events: page, scanned: page.at(-1)?.position ?? after };
      },
      isSkipped: async () => false,
      holds: async () => true,
      readOn: (checkpoint, limit) => readBoth(log, checkpoint, limit),
    };
    return log;
  }

  override async append(
    stream: string,
    expected: ExpectedRevision,
    events: readonly NewEvent[],
  ): Promise<AppendResult> {
    let revision = expected === 'no_stream' ? -1 : expected;
    let position = BigInt(this.last ?? BEYOND_EVERY_LOG);
    for (const event of events) {
      revision += 1;
      position += 1n;
      this.#drafts.push({ ...event, stream, revision, position: String(position) });
    }
    return { revision, position: String(position) };
  }
}
