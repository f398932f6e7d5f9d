import type { Page } from '../../src/event-store/event-store.js';
import { comparePositions, type Position, type StoredEvent } from '../../src/events/stored-event.js';
import {
  type KnownPage,
  type LastApplied,
  type ProjectionSource,
  readBoth,
} from '../../src/projections/engine/projection-source.js';

/** A log in memory, of which nothing is skipped and pages alone are read. */
export class LogInMemory implements ProjectionSource {
  constructor(private readonly events: readonly StoredEvent[]) {}

  isSkipped(): Promise<boolean> {
    throw new Error('nothing is skipped');
  }

  async holds(): Promise<boolean> {
    return true;
  }

  readOn(checkpoint: LastApplied, limit: number): Promise<KnownPage> {
    return readBoth(this, checkpoint, limit);
  }

  read(): Promise<readonly StoredEvent[]> {
    throw new Error('no stream is read');
  }

  async readAll(after: Position | null, limit: number): Promise<Page> {
    const page = this.events.filter(({ position }) => comparePositions(position, after) > 0).slice(0, limit);
    return { events: page, scanned: page.at(-1)?.position ?? after };
  }
}
