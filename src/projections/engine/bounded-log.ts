import { type Page } from '../../event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import {
  type AppliedUpTo,
  type KnownPage,
  type LastApplied,
  type ProjectionSource,
  readBoth,
} from './projection-source.js';

/** A log that ends at `until` (inclusive; `null` is before the first event), which may be moved on. */
export class BoundedLog implements ProjectionSource {
  until: Position | null = null;

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

  async readAll(after: Position | null, limit: number): Promise<Page> {
    const { until } = this;
    if (comparePositions(after, until) >= 0) return { events: [], scanned: after };
    const page = await this.source.readAll(after, limit);
    const events = page.events.filter(({ position }) => comparePositions(position, until) <= 0);
    if (events.length === page.events.length) return page;
    return { events, scanned: events.at(-1)?.position ?? after };
  }
}
