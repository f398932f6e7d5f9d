import { z } from 'zod';
import type { Page } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position, type StoredEvent } from '../../events/stored-event.js';
import { timeOf } from '../../events/two-clocks.js';
import type { BoundedLog } from '../engine/bounded-log.js';
import {
  type AppliedUpTo,
  type KnownPage,
  type LastApplied,
  type ProjectionSource,
  readBoth,
} from '../engine/projection-source.js';
import { readEvent, UnreadableEvent } from '../engine/unreadable-event.js';
import type { Relations } from './relations.js';

/**
 * A log without the events that have nothing to do with some users: catalogues are in it, and the last event up to where it
 * is read, so that who folds it comes there. Its pages come in order, or again. What a fold knows of the events left out is
 * the time that they brought (`timeAt`).
 */
export class NarrowLog implements ProjectionSource {
  readonly #streams: Set<string>;
  /** The greatest time of the events up to `#timed`, Unix ms. */
  #now = 0;
  #timed: Position | null = null;
  /** Times at events that bring an earlier one themselves. */
  readonly #later = new Map<Position, number>();

  /** @param relatedTo the last event of which `relations` know; those after it are added to them */
  constructor(
    private readonly log: BoundedLog,
    private readonly relations: Relations,
    private readonly relatedTo: Position | null,
  ) {
    this.#streams = new Set(relations.streams());
  }

  isSkipped(event: Pick<StoredEvent, 'id'>): Promise<boolean> {
    return this.log.isSkipped(event);
  }

  holds(checkpoint: AppliedUpTo): Promise<boolean> {
    return this.log.holds(checkpoint);
  }

  readOn(checkpoint: LastApplied, limit: number): Promise<KnownPage> {
    return readBoth(this, checkpoint, limit);
  }

  read(stream: string, from: number): Promise<readonly StoredEvent[]> {
    return this.log.read(stream, from);
  }

  /** The fold's time at an event of a page, Unix ms. */
  timeAt(event: EventEnvelope): number {
    return this.#later.get(event.position) ?? timeOf(event);
  }

  async readAll(after: Position | null, limit: number): Promise<Page> {
    const events: StoredEvent[] = [];
    let scanned = after;
    for (;;) {
      const page = await this.log.readAll(scanned, limit);
      for (const stored of page.events) {
        this.#time(stored);
        if (!this.#isNeeded(stored)) continue;
        events.push(stored);
        if (events.length === limit) return { events, scanned: stored.position };
      }
      scanned = page.scanned;
      if (page.events.length < limit) return { events, scanned };
    }
  }

  #isNeeded({ type, stream, position }: StoredEvent): boolean {
    return type === 'PlanCatalogPublished' || this.#streams.has(stream) || position === this.log.until;
  }

  /** Takes what an event that was not seen before says of the time, and of relations that are not known. */
  #time(stored: StoredEvent): void {
    if (comparePositions(stored.position, this.#timed) <= 0) return;
    this.#timed = stored.position;
    const brought = this.#isLate(stored) ? this.#relate(stored) : timeOfKnown(stored);
    if (brought === null) return;
    if (brought < this.#now) this.#later.set(stored.position, this.#now);
    this.#now = Math.max(this.#now, brought);
  }

  #isLate({ position }: StoredEvent): boolean {
    return comparePositions(position, this.relatedTo) > 0;
  }

  /** The time that an event brings which `relations` do not know yet; `null` of one that cannot be read. */
  #relate(stored: StoredEvent): number | null {
    const event = readEvent(stored);
    if (event instanceof UnreadableEvent) return null;
    if (this.relations.addLate(event)) this.#streams.add(event.stream);
    return timeOf(event);
  }
}

const recorded = z.looseObject({ recordedAt: z.string() });

/** As `timeOf`, of an event that was read before, without reading all of it. */
function timeOfKnown(stored: StoredEvent): number | null {
  if (stored.type !== 'AccessDeadlineReached') {
    return Date.parse(recorded.parse(JSON.parse(stored.metadata)).recordedAt);
  }
  const event = readEvent(stored);
  return event instanceof UnreadableEvent ? null : timeOf(event);
}
