import type { Statements } from '../database/in-transaction.js';
import type { EventStore } from '../event-store/event-store.js';
import {
  CorruptEventError,
  type EventEnvelope,
  parseEvent,
  UnknownEventTypeError,
} from '../events/event-envelope.js';
import { comparePositions, type Position, type StoredEvent } from '../events/stored-event.js';
import { UnsupportedSchemaVersionError } from '../events/upcasters.js';
import type { Followed, Occurrence } from './reaction.js';
import type { ReactionCheckpoint } from './reaction-checkpoint.js';
import { lastServedOrdinal, readServedChanges, type ServedChanges } from './served-changes.reader.js';
import type { UncausedChange } from './user-changes.js';

/** Events and rows of one page. */
export interface PageSize {
  readonly events: number;
  readonly rows: number;
}

/** What happened behind a checkpoint, in order, and the checkpoint behind it. */
export interface OccurrencePage {
  readonly occurrences: readonly Occurrence[];
  readonly to: Pick<ReactionCheckpoint, 'position' | 'ordinal'>;
  readonly mayBeMore: boolean;
}

export interface OccurrencesOptions {
  readonly store: Pick<EventStore, 'readAll' | 'eventAt'>;
  readonly database: Statements;
  readonly size: PageSize;
  readonly follows: Followed;
}

/**
 * Reads what is followed of the next page behind a checkpoint, up to the event that the live generation folded last (`handled`,
 * read before), and of what was served no more than belongs to it. An event that this code cannot read is passed by, as the fold set it aside.
 */
export async function readOccurrences(
  { store, database, size, follows }: OccurrencesOptions,
  from: ReactionCheckpoint,
  handled: Position | null,
): Promise<OccurrencePage> {
  const isBehind = comparePositions(from.position, handled) < 0;
  const page = isBehind ? (await store.readAll(from.position, size.events)).events : [];
  const stored = page.filter(({ position }) => comparePositions(position, handled) <= 0);
  const isFull = page.length === size.events && stored.length === page.length;
  const upTo = isFull ? (stored.at(-1)?.position ?? from.position) : isBehind ? handled : from.position;
  const served =
    follows.changes === 'none'
      ? await noChanges(database)
      : await readServedChanges(database, { ordinal: from.ordinal, upTo, limit: size.rows });

  // Rows that did not fit: what of the log stands behind them waits with them.
  const reached = served.isFull ? (served.changes.at(-1)?.anchor ?? from.position) : upTo;
  const events = stored.filter(
    (event) => comparePositions(event.position, reached) <= 0 && follows.mayMatter(event),
  );
  const parsed = new Map(events.map((event) => [event.position, readable(event)]));
  const occurrences: Occurrence[] = [];
  let next = 0;
  const changesUntil = async (position: Position | null): Promise<void> => {
    for (let entry = served.changes[next]; entry !== undefined; entry = served.changes[next]) {
      if (position !== null && comparePositions(entry.anchor, position) >= 0) return;
      next += 1;
      occurrences.push({ kind: 'change', change: await withCause(store, entry.change, parsed) });
    }
  };
  for (const { position } of events) {
    await changesUntil(position);
    const event = parsed.get(position) ?? null;
    if (event !== null) occurrences.push({ kind: 'event', event });
  }
  await changesUntil(null);
  const position = comparePositions(reached, from.position) > 0 ? reached : from.position;
  return {
    occurrences,
    to: { position, ordinal: served.ordinal },
    mayBeMore: isFull || served.isFull,
  };
}

/** As if all rows had been read: who follows none begins behind them if it ever follows some. */
async function noChanges(database: Statements): Promise<ServedChanges> {
  return { changes: [], ordinal: await lastServedOrdinal(database), isFull: false };
}

async function withCause(
  store: Pick<EventStore, 'eventAt'>,
  change: UncausedChange,
  parsed: ReadonlyMap<Position, EventEnvelope | null>,
) {
  const { cause, ...rest } = change;
  if (cause.kind === 'time') return { ...rest, cause };
  const { position } = cause;
  const known = parsed.get(position);
  if (known !== undefined) return { ...rest, cause: { ...cause, event: known } };
  const stored = await store.eventAt(position);
  return { ...rest, cause: { ...cause, event: stored === null ? null : readable(stored) } };
}

/** The event, or `null` where this code cannot read it. */
export function readable(stored: StoredEvent): EventEnvelope | null {
  try {
    return parseEvent(stored);
  } catch (error) {
    if (
      error instanceof UnknownEventTypeError ||
      error instanceof CorruptEventError ||
      error instanceof UnsupportedSchemaVersionError
    ) {
      return null;
    }
    throw error;
  }
}
