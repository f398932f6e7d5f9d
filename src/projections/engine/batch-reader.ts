import { isTimeout } from '../../database/transient.js';
import { UnknownPositionError } from '../../event-store/errors.js';
import type { Page } from '../../event-store/event-store.js';
import type { Checkpoint } from './checkpoint.js';
import type { KnownPage, ProjectionSource } from './projection-source.js';

/**
 * The page of the log after a checkpoint. Records scanned beyond the last event applied are of others, and theirs to remove:
 * where the log does not know that place any more, the page is read from the last event applied.
 */
export async function readPage(
  source: Pick<ProjectionSource, 'readAll'>,
  { scanned, handled }: Pick<Checkpoint, 'scanned' | 'handled'>,
  limit: number,
): Promise<Page> {
  try {
    return await source.readAll(scanned, limit);
  } catch (error) {
    if (!(error instanceof UnknownPositionError)) throw error;
    // Where the log does not hold that event either, it is another log, which `holds` says.
    return scanned === handled
      ? { events: [], scanned }
      : readPage(source, { scanned: handled, handled }, limit);
  }
}

/** As `readPage`, and whether the log holds the event of the checkpoint; both are asked for at once. */
export async function readKnownPage(
  source: Pick<ProjectionSource, 'readAll' | 'readOn' | 'holds'>,
  read: Pick<Checkpoint, 'scanned' | 'handled' | 'eventId'>,
  limit: number,
): Promise<KnownPage> {
  const { handled, scanned, eventId } = read;
  if (handled !== null && handled === scanned) {
    try {
      return await source.readOn({ handled, eventId }, limit);
    } catch (error) {
      if (!(error instanceof UnknownPositionError)) throw error;
      return { events: [], scanned, isKnown: await source.holds(read) };
    }
  }
  const [page, isKnown] = await Promise.all([readPage(source, read, limit), source.holds(read)]);
  return { ...page, isKnown };
}

/**
 * How many events a batch takes at most. One that a time-out ended is tried at half its size; each that is committed lets
 * the next be twice as large again, up to the full size.
 */
export class BatchSize {
  #now: number;

  constructor(private readonly full: number) {
    this.#now = full;
  }

  get now(): number {
    return this.#now;
  }

  /** A batch was committed. */
  passed(): void {
    this.#now = Math.min(this.full, this.#now * 2);
  }

  /** A batch was not committed, and why. */
  failed(error: unknown): void {
    if (isTimeout(error)) this.#now = Math.max(1, Math.floor(this.#now / 2));
  }
}
