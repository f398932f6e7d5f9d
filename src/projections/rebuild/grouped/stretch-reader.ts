import type { Page } from '../../../event-store/event-store.js';
import { glanceAt } from '../../../events/glance.js';
import { comparePositions, type Position, type StoredEvent } from '../../../events/stored-event.js';
import { timeOf } from '../../../events/two-clocks.js';
import type { Checkpoint } from '../../engine/checkpoint.js';
import type { ProjectionSource } from '../../engine/projection-source.js';
import type { Queries } from '../../entitlements/fact-queries.js';
import { type LogicalTime, LogicalTimes } from '../../entitlements/logical-times.js';
import { type Chunk, EventGroups } from './event-groups.js';
import type { SetDownEvents } from './set-down-events.js';

/** Events of a page. */
const PAGE = 2_000;

/** Most of what may be held of a log. */
export interface StretchLimits {
  /** Things that events name; 25 bytes each. Of more the table would double, to 200 MB. */
  readonly things: number;
  /** Events of a stretch; 24 bytes each. */
  readonly events: number;
  /** Events of one group, which are folded at once. */
  readonly ofAGroup: number;
}

const LIMITS: StretchLimits = { things: 5_800_000, events: 2_000_000, ofAGroup: 50_000 };

/** What reading on has shown: there is more to read, the stretch is whole, or the log cannot be told apart by groups. */
export type ReadSoFar = 'more' | 'whole' | 'not by groups';

/** The last event of a stretch as it was read. */
export interface LastEvent {
  readonly position: Position;
  readonly id: string;
}

/**
 * Reads the log from its beginning, page by page, to learn what belongs together; and of the stretch after a checkpoint, up to
 * the next catalogue, in which order its events are to be folded and what the fold's time is at each. Its events are set down
 * meanwhile where the log finds none apart from the others.
 */
export class StretchReader {
  readonly groups = new EventGroups();
  readonly #log: Pick<ProjectionSource, 'readAll'>;
  #readTo: Position | null = null;
  #from: Checkpoint | null = null;
  #logicalTimes = new LogicalTimes();
  #times: LogicalTime[] = [];
  #now = 0;
  #last: LastEvent | null = null;
  #stoppedAt: Position | null = null;
  /** The page that is being set down while the next one is read. */
  #settingDown: Promise<void> = Promise.resolve();

  constructor(
    log: Pick<ProjectionSource, 'readAll'>,
    private readonly setDown: Pick<SetDownEvents, 'begin' | 'take'> | null,
    private readonly limits: StretchLimits = LIMITS,
  ) {
    this.#log = log;
  }

  /** The last event of the stretch; `null` where it has none. */
  get last(): LastEvent | null {
    return this.#last;
  }

  /** The fold's time at the last event of the stretch, Unix ms. */
  get now(): number {
    return this.#now;
  }

  /** The fold's times in the stretch that are to be kept. */
  get times(): readonly LogicalTime[] {
    return this.#times;
  }

  /** The catalogue that the stretch ends before; `null` where it ends with what was to be read. */
  get stoppedAt(): Position | null {
    return this.#stoppedAt;
  }

  /** As `EventGroups.chunks`, of the stretch that was read; `null` where a group is too large. */
  chunks(after: Position | null, size: number): Iterable<Chunk> | null {
    const { largest, chunks } = this.groups.chunks(after, size);
    return largest > this.limits.ofAGroup ? null : chunks();
  }

  /** Begins with the stretch after a checkpoint, which is not before those of earlier stretches. @throws SetDownGoneError */
  async begin(queries: Queries, generation: number, from: Checkpoint, eventsBefore: number): Promise<void> {
    await Promise.allSettled([this.#settingDown]);
    await this.setDown?.begin(from);
    this.groups.end();
    // What was read beyond the checkpoint, and folded in the log's order instead, is of this stretch where it is left.
    if (comparePositions(this.#readTo, from.handled) > 0) this.#readTo = from.handled;
    this.#from = { ...from, events: eventsBefore };
    this.#logicalTimes = new LogicalTimes();
    await this.#logicalTimes.load(queries, generation);
    this.#times = [];
    this.#now = from.logicalTime;
    this.#last = null;
    this.#stoppedAt = null;
  }

  /** Reads a page on, up to `until` at most. @throws SetDownGoneError */
  async read(until: Position): Promise<ReadSoFar> {
    const page = await this.#log.readAll(this.#readTo, PAGE);
    const taken: StoredEvent[] = [];
    const so = this.#take(page, until, taken);
    if (this.setDown === null || so === 'not by groups') return so;
    await this.#settingDown;
    this.#settingDown = this.setDown.take(taken);
    this.#settingDown.catch(() => undefined); // heard of with the next page
    if (so === 'whole') await this.#settingDown;
    return so;
  }

  /** Notes what a page says; `taken` gets those of its events that are of the stretch. */
  #take(page: Page, until: Position, taken: StoredEvent[]): ReadSoFar {
    for (const stored of page.events) {
      if (comparePositions(stored.position, until) > 0) return 'whole';
      const event = glanceAt(stored);
      // The time of a fold past an event that cannot be read, or is skipped, differs from what the log says.
      if (event === null || event.type === 'EventSkipped') return 'not by groups';
      // Groups have positions as numbers. In EventStoreDB they count bytes: a log of 9 PB has none that is not exact.
      if (!Number.isSafeInteger(Number(stored.position))) return 'not by groups';
      const isBefore = comparePositions(stored.position, this.#from?.handled ?? null) <= 0;
      if (isBefore) this.groups.relate(event);
      else if (event.type === 'PlanCatalogPublished') {
        this.#stoppedAt = stored.position;
        return 'whole';
      } else {
        const brought = timeOf(event);
        this.#now = Math.max(this.#now, brought);
        const index = (this.#from?.events ?? 0) + this.groups.events;
        this.#logicalTimes.note({ position: stored.position, now: this.#now, index, brought }, this.#times);
        this.groups.add(event, this.#now);
        taken.push(stored);
        this.#last = { position: stored.position, id: stored.id };
      }
      this.#readTo = stored.position;
      if (this.groups.things > this.limits.things) return 'not by groups';
      if (this.groups.events === this.limits.events) return 'whole';
    }
    this.#readTo = page.scanned;
    return page.events.length < PAGE ? 'whole' : 'more';
  }
}
