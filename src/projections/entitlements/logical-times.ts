import { z } from 'zod';
import type { Position } from '../../events/stored-event.js';
import type { Queries } from './fact-queries.js';

/** The fold's time (Unix ms) at the event of a position. */
export interface LogicalTime {
  readonly position: Position;
  readonly now: number;
}

/** An event that was applied: how many were before it, the time it brings (`null`: none, it is set aside), and the fold's. */
export interface AppliedEvent extends LogicalTime {
  readonly index: number;
  readonly brought: number | null;
}

/** Place before every event, where the times of a generation that kept them from its first event on begin. */
export const BEGINNING: Position = '-1';

/** Every so many events the fold's time is kept in any case, so that whoever looks for a moment reads few events to find it. */
export const EVENTS_BETWEEN_TIMES = 16;

const lastRow = z.object({ now_ms: z.coerce.number() }).optional();

/**
 * Keeps the fold's time, sparsely: at every sixteenth event, and at an event that brings an earlier time where the last one
 * kept is not the fold's either. So the time at any event is the greater of what it brings and the last one kept up to it.
 */
export class LogicalTimes {
  #last: number | null = null;
  #isLoaded = false;

  /** @param isKept whether times are kept here at all */
  constructor(private readonly isKept = true) {}

  async load(queries: Queries, generation: number): Promise<void> {
    if (this.#isLoaded || !this.isKept) return;
    const { rows } = await queries.query(
      'select now_ms::text from tenure.logical_time where generation = $1 order by position desc limit 1',
      [generation],
    );
    this.#last = lastRow.parse(rows[0])?.now_ms ?? null;
    this.#isLoaded = true;
  }

  forget(): void {
    this.#isLoaded = false;
  }

  /** Adds to `kept` the time at an event, if it is one to be kept. Events are given in the log's order. */
  note({ position, now, index, brought }: AppliedEvent, kept: LogicalTime[]): void {
    if (!this.isKept) return;
    const isBehind = brought !== null && brought < now && this.#last !== now;
    if (index === 0) kept.push({ position: BEGINNING, now: 0 });
    if (index % EVENTS_BETWEEN_TIMES !== 0 && !isBehind) return;
    kept.push({ position, now });
    this.#last = now;
  }
}
