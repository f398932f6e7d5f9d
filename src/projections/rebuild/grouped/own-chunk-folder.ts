import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../../database/in-transaction.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { EventEnvelope } from '../../../events/event-envelope.js';
import type { Position, StoredEvent } from '../../../events/stored-event.js';
import type { ProjectionKey } from '../../engine/projection-key.js';
import type { ProjectedBatch, Projector } from '../../engine/projector.js';
import { NOTHING_SET_ASIDE } from '../../engine/set-aside-summary.js';
import { readEvent } from '../../engine/unreadable-event.js';
import type { FoldedApart } from '../../entitlements/projector-options.js';
import { type ChunkFolder, NotByGroupsError, type TakenChunk, type Turn } from './chunk-folder.js';
import type { Chunk } from './event-groups.js';
import { noteStretch } from './stretch-progress.js';

export interface OwnChunkFolderOptions {
  /** Finds events apart from one another. */
  readonly eventsAt: NonNullable<EventStore['eventsAt']>;
  readonly pool: Pool;
  readonly key: ProjectionKey;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  /** Events read and folded at once, at most. */
  readonly batchSize: number;
}

/** Where every chunk goes on from: what was before the stretch is in the database, and times are those of its events. */
const BEGINNING = {
  handled: null,
  partialProgress: [],
  logicalTime: 0,
  events: 0,
  setAside: NOTHING_SET_ASIDE,
} as const;

/**
 * Interval at which a transaction that waits for its turn asks for something, in milliseconds. PostgreSQL ends one in which nothing
 * is asked for ten seconds, and the chunk before may take longer where processors are short.
 */
const ASK_EVERY_MS = 1_000;

/** Folds chunks in this thread: while one is written, the next is folded, and the one after it read. */
export class OwnChunkFolder implements ChunkFolder {
  /** Ends of what is under way, whether it came to something or not. */
  #reading: Promise<unknown> = Promise.resolve();
  #folding: Promise<unknown> = Promise.resolve();
  #writing: Promise<unknown> = Promise.resolve();
  #stop: () => void = () => undefined;
  #isStopped = false;
  /** No chunk that waits has a turn any more. */
  readonly #stopped = new Promise<null>((resolve) => {
    this.#stop = () => resolve(null);
  });

  constructor(private readonly options: OwnChunkFolderOptions) {}

  take(chunk: Chunk): TakenChunk {
    let give: (turn: Turn) => void = () => undefined;
    const turn = new Promise<Turn>((resolve) => {
      give = resolve;
    });
    const reading = this.#reading.then(() => this.#read(chunk));
    const folding = Promise.all([reading, this.#folding]).then(([events]) => this.#fold(chunk, events));
    const writing = Promise.all([folding, this.#writing]).then(([batches]) =>
      this.#write(chunk, batches, Promise.race([turn, this.#stopped])),
    );
    this.#reading = ended(reading);
    this.#folding = ended(folding);
    this.#writing = ended(writing);
    return {
      chunk,
      commit: (given) => {
        give(given);
        return writing;
      },
    };
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stop();
    await Promise.all([this.#reading, this.#folding, this.#writing]);
  }

  async #read({ positions }: Chunk): Promise<readonly StoredEvent[]> {
    const { eventsAt, batchSize } = this.options;
    const events: StoredEvent[] = [];
    for (let from = 0; from < positions.length && !this.#isStopped; from += batchSize) {
      events.push(...(await eventsAt(positions.slice(from, from + batchSize))));
    }
    if (events.length < positions.length) throw new NotByGroupsError('the log lost an event');
    return events;
  }

  /** Folds a chunk, with a projector of its own: nothing of it is needed again. */
  async #fold(chunk: Chunk, events: readonly StoredEvent[]): Promise<readonly ProjectedBatch[]> {
    const { key, projectorOf, batchSize } = this.options;
    const projector = projectorOf(key.generation, {
      timeAt: ({ position }) => timeIn(chunk, position),
      keepsTimes: false,
      bytesInMemory: Number.POSITIVE_INFINITY,
    });
    const batches: ProjectedBatch[] = [];
    for (let from = 0; from < events.length && !this.#isStopped; from += batchSize) {
      const page = events.slice(from, from + batchSize);
      const batch = await projector.project(page.map(readEvent), BEGINNING);
      if (batch.applied < page.length) throw new NotByGroupsError('an event was not applied');
      batch.seal();
      batches.push(batch);
    }
    return batches;
  }

  /** Writes a chunk's rows at once, and the checkpoint when its turn comes; all is undone where that is not given. */
  async #write(
    { positions }: Chunk,
    batches: readonly ProjectedBatch[],
    turn: Promise<Turn | null>,
  ): Promise<boolean> {
    const { pool, key } = this.options;
    if (this.#isStopped) return false;
    return inTransaction(pool, async (client) => {
      // Rows and checkpoint are lost together or not at all, and the log can be folded again: no flush of its own.
      await client.query('set local synchronous_commit = off');
      for (const batch of batches) await batch.write(client);
      const given = await keptOpen(client, turn);
      const applied = positions.length;
      const isNoted =
        given !== null && (await noteStretch(client, key, given.read, { stretch: given.stretch, applied }));
      if (!isNoted) await client.query('rollback');
      return isNoted;
    });
  }
}

/** Waits for a turn, in a transaction that stays open however long that takes. */
async function keptOpen<T>(client: PoolClient, turn: Promise<T>): Promise<T> {
  let asked: Promise<unknown> = Promise.resolve();
  const asking = setInterval(() => {
    // On a session that is gone the statement that comes with the turn fails, too, and is heard of.
    asked = client.query('select').catch(() => undefined);
  }, ASK_EVERY_MS);
  try {
    return await turn;
  } finally {
    clearInterval(asking);
    await asked; // one statement at a time: the driver is to refuse a second one
  }
}

/** That something under way has ended; whoever waits for what it came to hears how. */
async function ended(underWay: Promise<unknown>): Promise<void> {
  await underWay.catch(() => undefined);
}

function timeIn({ times }: Chunk, position: Position): number {
  const time = times.get(position);
  if (time === undefined) throw new Error(`position ${position} is of another chunk`);
  return time;
}
