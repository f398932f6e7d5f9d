import type { ProjectionKey } from '../engine/projection-key.js';
import type { MoreFolders } from '../rebuild/build-fold.js';
import type { ChunkFolder, TakenChunk } from '../rebuild/grouped/chunk-folder.js';
import type { Chunk } from '../rebuild/grouped/event-groups.js';
import { FoldingThread } from './folding-thread.js';
import type { FromChunkThread, ToChunkThread } from './protocol.js';
import type { FoldingPlace } from './thread-stores.js';

/** As of the thread that deals: what a thread has in hand of a chunk at a time is young. */
const YOUNG_MEGABYTES = 16;

/** Where a thread that folds chunks finds them, and writes them. */
export interface ChunkPlace extends FoldingPlace {
  readonly key: ProjectionKey;
  /** Events read and folded at once, at most. */
  readonly batchSize: number;
}

export interface ThreadedChunkFolderOptions {
  readonly place: ChunkPlace;
  /** Node's flags for the thread. Left out: those of the one that begins it. */
  readonly nodeFlags?: readonly string[];
  /** A connection of the thread broke while it was idle, or the thread did not end by itself. */
  readonly onTrouble: (error: unknown) => void;
}

/** What kept a thread from folding a chunk. */
class ChunkFailedError extends Error {
  override readonly name = 'ChunkFailedError';
  readonly isTimeout = false;

  constructor(
    cause: Error,
    readonly mayPass: boolean,
  ) {
    super(`a thread did not fold a chunk: ${cause.message}`, { cause });
  }
}

/** Whoever waits for a chunk to be committed. */
interface Waiting {
  resolve(isNoted: boolean): void;
  reject(error: Error): void;
}

/** Folds chunks in a thread of its own, which is there until `stop`. */
export class ThreadedChunkFolder implements ChunkFolder {
  readonly #thread: FoldingThread<ToChunkThread, FromChunkThread>;
  readonly #waiting = new Map<number, Waiting>();
  #given = 0;
  #died: ChunkFailedError | null = null;

  constructor(private readonly options: ThreadedChunkFolderOptions) {
    const { onTrouble } = options;
    this.#thread = new FoldingThread<ToChunkThread, FromChunkThread>({
      ...options,
      file: new URL('./chunk.worker.js', import.meta.url),
      youngMegabytes: YOUNG_MEGABYTES,
      onMessage: (message) => {
        if (message.kind === 'trouble') onTrouble(message.error);
        else if (message.kind !== 'started') this.#settle(message);
      },
      onDied: (error) => this.#die(error),
    });
    this.#thread.start().catch((error: Error) => this.#die(error));
  }

  take(chunk: Chunk): TakenChunk {
    const died = this.#died;
    if (died !== null) return { chunk, commit: () => Promise.reject(died) };
    const id = this.#given;
    this.#given += 1;
    const outcome = new Promise<boolean>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    outcome.catch(() => undefined); // heard of by `commit`
    this.#thread.post({ kind: 'take', id, chunk });
    return {
      chunk,
      commit: (turn) => {
        this.#thread.post({ kind: 'commit', id, turn });
        return outcome;
      },
    };
  }

  /** One that had to be ended has undone what it was at: that is told, and no failure. */
  async stop(): Promise<void> {
    await this.#thread.stop().catch(this.options.onTrouble);
  }

  #settle(message: Extract<FromChunkThread, { readonly id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'done') waiting?.resolve(message.isNoted);
    else waiting?.reject(new ChunkFailedError(message.error, message.mayPass));
  }

  /** Its chunks may be folded by another thread. */
  #die(error: Error): void {
    this.#died = new ChunkFailedError(error, true);
    for (const { reject } of this.#waiting.values()) reject(this.#died);
    this.#waiting.clear();
  }
}

/** Begins the threads of a build but the one that deals, as many as `REBUILD_THREADS` leaves. */
export function threadedChunkFolders(
  place: FoldingPlace,
  options: Omit<ThreadedChunkFolderOptions, 'place'>,
): MoreFolders {
  return (key, batchSize) =>
    Array.from(
      { length: place.rebuildThreads - 1 },
      () => new ThreadedChunkFolder({ ...options, place: { ...place, key, batchSize } }),
    );
}
