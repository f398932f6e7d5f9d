import type { Pool } from 'pg';
import { isTransient } from '../../../database/transient.js';
import { comparePositions, type Position } from '../../../events/stored-event.js';
import type { Checkpoint } from '../../engine/checkpoint.js';
import type { ProjectionKey } from '../../engine/projection-key.js';
import type { ProjectionSource } from '../../engine/projection-source.js';
import { NOTHING_SET_ASIDE } from '../../engine/set-aside-summary.js';
import type { BuildPoint } from '../build-progress.js';
import type { ChunkFolder, TakenChunk } from './chunk-folder.js';
import type { Chunk } from './event-groups.js';
import type { SetDownEvents } from './set-down-events.js';
import { beginAnewInOrder, endStretch, findStretch, noteStretch, type Stretch } from './stretch-progress.js';
import { type LastEvent, type ReadSoFar, StretchReader } from './stretch-reader.js';

export interface GroupedFoldOptions {
  /** The log up to where a step goes at least; it is read by this fold alone. */
  readonly log: Pick<ProjectionSource, 'readAll'>;
  /** Where events of a stretch are set down; `null` where the log finds events apart from one another. */
  readonly setDown: SetDownEvents | null;
  readonly pool: Pool;
  readonly key: ProjectionKey;
  /** Whoever folds the chunks of a stretch, one at least; they are stopped when it ends. */
  readonly folders: () => readonly [ChunkFolder, ...ChunkFolder[]];
  /** Events of a chunk, about. */
  readonly batchSize: number;
  /** Events that a stretch should have at least; `null`: none is begun, and one that was begun is ended. */
  readonly least: number | null;
}

/**
 * One step: the fold moved to a checkpoint (its `handled` moves only where a stretch ends), somebody else moved it, or what
 * comes next is to be folded in the log's order.
 */
export type GroupedStep =
  | { readonly outcome: 'moved'; readonly checkpoint: Checkpoint; readonly applied: number }
  | { readonly outcome: 'lost' }
  | { readonly outcome: 'in order' };

/** A stretch that is being folded. */
interface UnderWay {
  stretch: Stretch;
  readonly last: LastEvent;
  readonly chunks: Iterator<Chunk>;
  readonly folders: readonly ChunkFolder[];
  /** Chunks that are at folders, in the order of their turns, and how many there were so far. */
  readonly taken: TakenChunk[];
  dealt: number;
}

/** Chunks that a folder is given before the first of them is committed: one is written, one folded and one read. */
const AT_A_FOLDER = 3;

/**
 * Folds stretches of the log without a catalogue group by group: everybody's whole life in turn, instead of everybody a little
 * at a time. So each user is loaded and written once in a stretch, and none has to be kept. It writes what the fold in the log's order
 * writes, and whatever that one would set aside, or stop at, is left to it: then all is taken back and begun anew. Chunks go to
 * folders by turns, and are committed in the order in which they were given out.
 */
export class GroupedFold {
  readonly #reader: StretchReader;
  /** `unknown`: what the database says of it was not read yet. */
  #state: 'unknown' | 'between' | 'reading' | 'in order' = 'unknown';
  #stretch: Stretch | null = null;
  #underWay: UnderWay | null = null;
  /** Up to here the log's order is followed: the next catalogue. */
  #inOrderTo: Position | null = null;

  constructor(private readonly options: GroupedFoldOptions) {
    this.#reader = new StretchReader(options.log, options.setDown);
  }

  /**
   * One step from `read`; nothing after `to.handled` is folded, which `to.events` events come up to.
   * @throws what may pass: then a new one goes on
   */
  async step(read: Checkpoint, to: BuildPoint): Promise<GroupedStep> {
    const { pool, key } = this.options;
    if (this.#state === 'unknown') {
      const found = await findStretch(pool, key);
      this.#state = found === 'in order' ? found : 'between';
      this.#stretch = found === 'in order' ? null : found;
    }
    const { handled: until } = to;
    if (this.#state === 'in order' || until === null) return IN_ORDER;
    if (this.#underWay !== null) return this.#commitChunks(this.#underWay, read);
    if (this.#state === 'between') {
      if (this.#stretch === null && !this.#isWorthIt(read, to)) return IN_ORDER;
      const { events } = this.#stretch ?? read;
      await this.#reader.begin(pool, key.generation, read, events);
      this.#state = 'reading';
    }
    return this.#readOn(read, this.#stretch?.until ?? until);
  }

  /** Waits until nothing is folded any more; what is not committed is given up. */
  async stop(): Promise<void> {
    const underWay = this.#underWay;
    this.#underWay = null;
    await Promise.all(underWay?.folders.map((folder) => folder.stop()) ?? []);
  }

  #isWorthIt({ handled, partialProgress, setAside, events }: Checkpoint, to: BuildPoint): boolean {
    const { least } = this.options;
    if (least === null) return false;
    if (partialProgress.length > 0 || setAside.streams + setAside.users > 0) return false;
    if (comparePositions(handled, this.#inOrderTo) < 0) return false;
    return to.events - events >= least;
  }

  async #readOn(read: Checkpoint, until: Position): Promise<GroupedStep> {
    const { key, pool, folders, batchSize, least } = this.options;
    const so = await this.#reader.read(until).catch((error: unknown): ReadSoFar => {
      if (isTransient(error)) throw error;
      return 'not by groups'; // the fold in the log's order says why
    });
    if (so === 'more') return this.#note(read, this.#stretch);
    if (so === 'not by groups') return this.#giveUp(read);
    this.#state = 'between';
    this.#inOrderTo = this.#reader.stoppedAt;
    const { groups, last } = this.#reader;
    // It was begun on a log that had more.
    if (this.#stretch !== null && last?.position !== this.#stretch.until) return this.#giveUp(read);
    if (last === null || (this.#stretch === null && groups.events < (least ?? 0))) {
      this.#inOrderTo ??= last?.position ?? null;
      return IN_ORDER;
    }
    const stretch = this.#stretch ?? { until: last.position, events: read.events, through: null };
    const iterator = this.#reader.chunks(stretch.through, batchSize)?.[Symbol.iterator]();
    if (iterator === undefined) return this.#giveUp(read);
    const underWay = { stretch, last, chunks: iterator, folders: folders(), taken: [], dealt: 0 };
    this.#underWay = underWay;
    deal(underWay);
    const isNoted = await noteStretch(pool, key, read, { stretch, applied: 0 });
    return isNoted ? moved(read) : LOST;
  }

  /** Commits a chunk of each folder: between two steps whoever asks for them looks around, and folders would wait for it. */
  async #commitChunks(underWay: UnderWay, read: Checkpoint): Promise<GroupedStep> {
    let reached = read;
    try {
      for (const _ of underWay.folders) {
        const first = underWay.taken.shift();
        if (first === undefined) break;
        const stretch = { ...underWay.stretch, through: first.chunk.through };
        if (!(await first.commit({ read: reached, stretch }))) return LOST;
        underWay.stretch = stretch;
        reached = after(reached, first.chunk.positions.length);
        deal(underWay);
      }
      if (reached === read) return await this.#end(underWay, read);
      return { outcome: 'moved', checkpoint: reached, applied: reached.events - read.events };
    } catch (error) {
      if (isTransient(error)) throw error;
      return this.#giveUp(reached);
    }
  }

  async #end({ stretch, last }: UnderWay, read: Checkpoint): Promise<GroupedStep> {
    const { key, pool } = this.options;
    const { now: logicalTime, times, groups } = this.#reader;
    await this.stop();
    const events = stretch.events + groups.events;
    const { position, id: eventId } = last;
    const isEnded = await endStretch(pool, key, read, { position, eventId, logicalTime, events, times });
    this.#stretch = null;
    const revision = read.revision + 1;
    const checkpoint = {
      ...read,
      handled: position,
      scanned: position,
      eventId,
      logicalTime,
      events,
      revision,
    };
    return isEnded ? { outcome: 'moved', checkpoint, applied: 0 } : LOST;
  }

  /** Goes on in the log's order: from where it is if no group is written, else from the beginning. */
  async #giveUp(read: Checkpoint): Promise<GroupedStep> {
    const { key, pool } = this.options;
    const through = this.#underWay?.stretch.through ?? this.#stretch?.through ?? null;
    await this.stop();
    this.#state = 'in order';
    if (through === null) return this.#note(read, 'in order');
    return (await beginAnewInOrder(pool, key, read))
      ? { outcome: 'moved', checkpoint: begun(read), applied: 0 }
      : LOST;
  }

  async #note(read: Checkpoint, stretch: Stretch | 'in order' | null): Promise<GroupedStep> {
    const { key, pool } = this.options;
    return (await noteStretch(pool, key, read, { stretch, applied: 0 })) ? moved(read) : LOST;
  }
}

const IN_ORDER: GroupedStep = { outcome: 'in order' };
const LOST: GroupedStep = { outcome: 'lost' };

/** Gives chunks to folders by turns, as many as they have room for. */
function deal(underWay: UnderWay): void {
  const { chunks, folders, taken } = underWay;
  while (taken.length < folders.length * AT_A_FOLDER) {
    const { value: chunk, done } = chunks.next();
    const folder = folders[underWay.dealt % folders.length];
    if (done === true || folder === undefined) return;
    taken.push(folder.take(chunk));
    underWay.dealt += 1;
  }
}

function moved(read: Checkpoint): GroupedStep {
  return { outcome: 'moved', checkpoint: after(read, 0), applied: 0 };
}

/** The checkpoint after so many events more of its stretch. */
function after(read: Checkpoint, applied: number): Checkpoint {
  return { ...read, revision: read.revision + 1, events: read.events + applied, fault: null };
}

/** A checkpoint after all was taken back. */
function begun({ revision }: Checkpoint): Checkpoint {
  return {
    handled: null,
    scanned: null,
    eventId: null,
    partialProgress: [],
    logicalTime: 0,
    events: 0,
    setAside: NOTHING_SET_ASIDE,
    revision: revision + 1,
    fault: null,
  };
}
