import type { Page } from '../../event-store/event-store.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import {
  type AppliedUpTo,
  type KnownPage,
  type LastApplied,
  type ProjectionSource,
  readBoth,
} from './projection-source.js';

/** A page that is on its way, and what was asked for. */
interface Ahead {
  readonly after: Position | null;
  readonly limit: number;
  readonly page: Promise<Page>;
}

/**
 * Pages of a log of which the next one is fetched while the last one is folded. For folds that read on and on: after a page
 * that was not full nothing is fetched. Whoever goes on elsewhere, or in other steps, reads as without it.
 */
export class ReadAhead implements ProjectionSource {
  #ahead: Ahead | null = null;

  constructor(private readonly source: ProjectionSource) {}

  isSkipped(event: Pick<StoredEvent, 'id'>): Promise<boolean> {
    return this.source.isSkipped(event);
  }

  holds(checkpoint: AppliedUpTo): Promise<boolean> {
    return this.source.holds(checkpoint);
  }

  readOn(checkpoint: LastApplied, limit: number): Promise<KnownPage> {
    return readBoth(this, checkpoint, limit);
  }

  read(stream: string, from: number): Promise<readonly StoredEvent[]> {
    return this.source.read(stream, from);
  }

  /** @throws what the log throws, at the page that was asked for and not before */
  async readAll(after: Position | null, limit: number): Promise<Page> {
    const ahead = this.#ahead;
    this.#ahead = null;
    const isFetched = ahead !== null && ahead.after === after && ahead.limit === limit;
    const page = await (isFetched ? ahead.page : this.source.readAll(after, limit));
    if (page.events.length === limit) this.#fetch(page.scanned, limit);
    return page;
  }

  #fetch(after: Position | null, limit: number): void {
    const page = this.source.readAll(after, limit);
    page.catch(() => undefined); // thrown at whoever asks for this page; nobody may
    this.#ahead = { after, limit, page };
  }
}
