import type { Pool } from 'pg';
import { z } from 'zod';
import type { EventStore } from '../../event-store/event-store.js';
import type { StoredEvent } from '../../events/stored-event.js';
import { addToLevel, growTiles } from '../merkle/grow-tiles.js';
import { type EventMark, leafOf, MARK_BYTES, packMark } from '../merkle/leaf.js';
import { TILE_WIDTH } from '../merkle/tiles.js';
import { EVENT_MARKS, readEdge, readTreeProgress, type TreeProgress, writeStep } from './tree.repository.js';

export interface BuildTreeOptions {
  readonly pool: Pool;
  readonly store: Pick<EventStore, 'readAll'>;
  /** Events of one step. Left out: 1,000. */
  readonly pageEvents?: number;
}

const PAGE_EVENTS = 1_000;

const chained = z.looseObject({ hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** What the tree holds of an event, its own hash as its metadata has it. @throws ZodError where it has none */
export function markOf({ id, metadata }: Pick<StoredEvent, 'id' | 'metadata'>): EventMark {
  return { id, hash: chained.parse(JSON.parse(metadata)).hash };
}

/** As `markOf`; `null` of an event whose metadata does not say a hash, because somebody changed it. */
export function markOrNull({ id, metadata }: Pick<StoredEvent, 'id' | 'metadata'>): EventMark | null {
  try {
    return { id, hash: chained.parse(JSON.parse(metadata)).hash };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return null;
    throw error;
  }
}

/**
 * Adds the next page of the log to a tree: reads what is behind its progress and the tiles at its edge, and nothing else of what
 * is there already, and writes the tiles that grow with the progress in one transaction.
 * @returns how far the tree is, and whether the log may go on
 */
export async function buildOnce(
  { pool, store, pageEvents = PAGE_EVENTS }: BuildTreeOptions,
  tree: number,
): Promise<{ readonly progress: TreeProgress; readonly mayBeMore: boolean }> {
  const from = await readTreeProgress(pool, tree);
  const { events, scanned } = await store.readAll(from.position, pageEvents);
  if (scanned === from.position) return { progress: from, mayBeMore: false };
  const to = { size: from.size + events.length, position: scanned };
  const marks = events.map(markOf);
  const edge = await readEdge(pool, tree, from.size);
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
  return { progress: isWritten ? to : from, mayBeMore: true };
}
