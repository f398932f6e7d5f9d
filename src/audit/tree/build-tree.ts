import type { Pool } from 'pg';
import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import { readMetadata } from '../../events/chained-metadata.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { addToLevel, growTiles } from '../merkle/grow-tiles.js';
import { type EventMark, leafOf, MARK_BYTES, packMark } from '../merkle/leaf.js';
import { TILE_WIDTH } from '../merkle/tiles.js';
import { TreeInconsistentError } from './errors.js';
import {
  EVENT_MARKS,
  readEdge,
  readMarks,
  readTreeProgress,
  type TreeProgress,
  writeStep,
} from './tree.repository.js';

export interface BuildTreeOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readAll' | 'eventIdAt' | 'head'>;
  /** Whether the log is the one that the read models were made from, by a look that began after the question. */
  readonly isLogKnown: () => Promise<boolean>;
  /** Events of one step. Left out: 1,000. */
  readonly pageEvents?: number;
}

const PAGE_EVENTS = 1_000;

const chained = z.looseObject({ hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** What the tree holds of an event, its own hash as its metadata has it. @throws ZodError, SyntaxError where it has none */
export function markOf({ id, metadata }: Pick<StoredEvent, 'id' | 'metadata'>): EventMark {
  return { id, hash: chained.parse(readMetadata(metadata) ?? JSON.parse(metadata)).hash };
}

/** As `markOf`; `null` of an event whose metadata does not say a hash, because somebody changed it. */
export function markOrNull(event: Pick<StoredEvent, 'id' | 'metadata'>): EventMark | null {
  try {
    return markOf(event);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/**
 * Adds the next page of the log to a tree: reads what is behind its progress and the tiles at its edge, and nothing else of what
 * is there already, and writes the tiles that grow with the progress in one transaction. That the log is the known one, and
 * still has the newest event of the tree, is looked at after the page was read: what is written, and what is signed of a tree
 * to which nothing was to be added, is never of a log that was exchanged meanwhile.
 * @returns how far the tree is, and whether the log may go on: not where the page ended at its head. `null` where the log is not
 * the known one, and nothing is written
 * @throws TreeInconsistentError where the log does not go on from the tree
 */
export async function buildOnce(
  { pool, store, isLogKnown, pageEvents = PAGE_EVENTS }: BuildTreeOptions,
  tree: number,
): Promise<{ readonly progress: TreeProgress; readonly mayBeMore: boolean } | null> {
  const from = await readTreeProgress(pool, tree);
  const { events, scanned } = await store.readAll(from.position, pageEvents);
  const [isKnown, isThere, edge, head] = await Promise.all([
    isLogKnown(),
    hasNewest(pool, store, tree, from),
    readEdge(pool, tree, from.size),
    store.head(),
  ]);
  if (!isKnown) return null;
  if (!isThere) {
    throw new TreeInconsistentError(
      `the log does not have the newest event of its tree, at index ${from.size - 1}`,
    );
  }
  if (scanned === from.position) return { progress: from, mayBeMore: false };
  const to = { size: from.size + events.length, position: scanned };
  const marks = events.map(markOf);
  const leaves = marks.map((mark, at) => leafOf(from.size + at, mark));
  const end = { level: EVENT_MARKS, width: from.size, last: edge.get(EVENT_MARKS), bytesEach: MARK_BYTES };
  const tiles = [
    ...addToLevel(end, Buffer.concat(marks.map(packMark))).map((tile) => ({
      ...tile,
      position: events[Math.max(0, tile.index * TILE_WIDTH - from.size)]?.position ?? null,
    })),
    ...growTiles(from.size, edge, leaves).map((tile) => ({ ...tile, position: null })),
  ];
  const isWritten = await writeStep(pool, { tree, from, to, tiles });
  const isAtHead = isWritten && events.at(-1)?.position === head;
  return { progress: isWritten ? to : from, mayBeMore: !isAtHead };
}

/**
 * Whether the event that was added last is where it was; where the log was read on to an event that is not Tenure's, the first of
 * its tile stands for it.
 */
async function hasNewest(
  pool: Pool,
  store: Pick<EventStore, 'eventIdAt'>,
  tree: number,
  { size, position }: TreeProgress,
): Promise<boolean> {
  if (size === 0 || position === null) return true;
  const [found, tile] = await Promise.all([
    store.eventIdAt(position),
    readMarks(pool, tree, Math.floor((size - 1) / TILE_WIDTH)),
  ]);
  const newest = tile?.marks[(size - 1) % TILE_WIDTH];
  const first = tile?.marks[0];
  if (tile === null || newest === undefined || first === undefined) return true; // another instance makes it anew
  return found === null ? (await store.eventIdAt(tile.position)) === first.id : found === newest.id;
}
