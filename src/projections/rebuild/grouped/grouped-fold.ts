import type { Pool } from 'pg';
import { inTransaction } from '../../../database/in-transaction.js';
import { isTransient } from '../../../database/transient.js';
import type { EventStore } from '../../../event-store/event-store.js';
import type { EventEnvelope } from '../../../events/event-envelope.js';
import { comparePositions, type Position, type StoredEvent } from '../../../events/stored-event.js';
import type { Checkpoint } from '../../engine/checkpoint.js';
import type { ProjectionKey } from '../../engine/projection-key.js';
import type { ProjectionSource } from '../../engine/projection-source.js';
import type { ProjectedBatch, Projector } from '../../engine/projector.js';
import { NOTHING_SET_ASIDE } from '../../engine/set-aside-summary.js';
import { readEvent } from '../../engine/unreadable-event.js';
import type { FoldedApart } from '../../entitlements/projector-options.js';
import type { Chunk } from './event-groups.js';
import { beginAnewInOrder, endStretch, findStretch, noteStretch, type Stretch } from './stretch-progress.js';
import { type ReadSoFar, StretchReader } from './stretch-reader.js';

export interface GroupedFoldOptions {
  /** Finds events apart from one another. */
  readonly eventsAt: NonNullable<EventStore['eventsAt']>;
  /** The log up to `until` of a step at least; it is read by this fold alone. */
  readonly log: Pick<ProjectionSource, 'readAll'>;
  readonly pool: Pool;
  readonly key: ProjectionKey;
  readonly projectorOf: (generation: number, only: FoldedApart) => Projector<EventEnvelope>;
  /** Events folded and written at once, about. */
  readonly batchSize: number;
  /** Positions that a stretch should have at least; `null`: none is begun, and one that was begun is ended. */
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

/** A chunk that is folded, with what is to be written of it. */
interface FoldedChunk extends Chunk {
  readonly batches: readonly ProjectedBatch[];
}

/** A stretch that is being folded. */
interface UnderWay {
  stretch: Stretch;
  readonly chunks: Iterator<Chunk>;
  reading: Promise<ReadChunk | null>;
  folding: Promise<FoldedChunk | null>;
}

/** A chunk with its events. */
interface ReadChunk {
  readonly chunk: Chunk;
  readonly events: readonly StoredEvent[];
}

/** What a fold by groups cannot go past; the fold in the log's order sets such things aside, or stops at them. */
class NotByGroupsError extends Error {
  override readonly name = 'NotByGroupsError';
}

/**
 * Folds stretches of the log without a catalogue group by group: everybody's whole life in turn, instead of everybody a little
 * at a time. So each user is loaded and written once in a stretch, and none has to be kept. It writes what the fold in the log's order
 * writes, and whatever that one would set aside, or stop at, is left to it: then all is taken back and begun anew. While one
 * chunk is written, the next is folded and the one after it read.
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
    this.#reader = new StretchReader(options.log);
  }

  /** One step from `read`; nothing after `until` is folded. @throws what may pass: then a new one goes on */
  async step(read: Checkpoint, until: Position | null): Promise<GroupedStep> {
    const { pool, key } = this.options;
    if (this.#state === 'unknown') {
      const found = await findStretch(pool, key);
      this.#state = found === 'in order' ? found : 'between';
      this.#stretch = found === 'in order' ? null : found;
    }
    if (this.#state === 'in order' || until === null) return IN_ORDER;
    if (this.#underWay !== null) return this.#writeChunk(this.#underWay, read);
    if (this.#state === 'between') {
      if (this.#stretch === null && !this.#isWorthIt(read, until)) return IN_ORDER;
      const { events } = this.#stretch ?? read;
      await this.#reader.begin(pool, key.generation, read, events);
      this.#state = 'reading';
    }
    return this.#readOn(read, this.#stretch?.until ?? until);
  }

  /** Waits until nothing is read or folded any more; what is not written is given up. */
  async stop(): Promise<void> {
    const underWay = this.#underWay;
    this.#underWay = null;
    if (underWay !== null) await Promise.allSettled([underWay.reading, underWay.folding]);
  }

  #isWorthIt({ handled, partialProgress, setAside }: Checkpoint, until: Position): boolean {
    const { least } = this.options;
    if (least === null) return false;
    if (partialProgress.length > 0 || setAside.streams + setAside.users > 0) return false;
    if (comparePositions(handled, this.#inOrderTo) < 0) return false;
    return BigInt(until) - BigInt(handled ?? '0') >= BigInt(least);
  }

  async #readOn(read: Checkpoint, until: Position): Promise<GroupedStep> {
    const { key, pool, batchSize, least } = this.options;
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
    if (last === null || (this.#stretch === null && groups.events < (least ?? 0))) return IN_ORDER;
    const stretch = this.#stretch ?? { until: last.position, events: read.events, through: null };
    const iterator = this.#reader.chunks(stretch.through, batchSize)?.[Symbol.iterator]();
    if (iterator === undefined) return this.#giveUp(read);
    this.#underWay = { stretch, chunks: iterator, reading: this.#read(iterator), folding: NOTHING };
    this.#foldNext(this.#underWay);
    const isNoted = await noteStretch(pool, key, read, { stretch, applied: 0 });
    return isNoted ? moved(read, 0) : LOST;
  }

  async #writeChunk(underWay: UnderWay, read: Checkpoint): Promise<GroupedStep> {
    const { key, pool } = this.options;
    try {
      const folded = await underWay.folding;
      if (folded === null) return await this.#end(underWay, read);
      this.#foldNext(underWay);
      const stretch = { ...underWay.stretch, through: folded.through };
      const applied = folded.positions.length;
      const isNoted = await inTransaction(pool, async (client) => {
        // Rows and checkpoint are lost together or not at all, and the log can be folded again: no flush of its own.
        await client.query('set local synchronous_commit = off');
        if (!(await noteStretch(client, key, read, { stretch, applied }))) return false;
        for (const batch of folded.batches) await batch.write(client);
        return true;
      });
      underWay.stretch = stretch;
      return isNoted ? moved(read, applied) : LOST;
    } catch (error) {
      if (isTransient(error)) throw error;
      return this.#giveUp(read);
    }
  }

  async #end({ stretch }: UnderWay, read: Checkpoint): Promise<GroupedStep> {
    const { key, pool } = this.options;
    const { last, now: logicalTime, times, groups } = this.#reader;
    if (last === null || last.position !== stretch.until)
      throw new NotByGroupsError('the log is another one');
    const events = stretch.events + groups.events;
    const { position, id: eventId } = last;
    const isEnded = await endStretch(pool, key, read, { position, eventId, logicalTime, events, times });
    this.#underWay = null;
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
    return (await noteStretch(pool, key, read, { stretch, applied: 0 })) ? moved(read, 0) : LOST;
  }

  /** Folds what is being read, and begins to read what comes after it. */
  #foldNext(underWay: UnderWay): void {
    const { reading } = underWay;
    underWay.reading = reading.then((done) => (done === null ? null : this.#read(underWay.chunks)));
    underWay.folding = this.#fold(reading);
    for (const promise of [underWay.reading, underWay.folding]) promise.catch(() => undefined); // heard of in its turn
  }

  async #read(chunks: Iterator<Chunk>): Promise<ReadChunk | null> {
    const { value: chunk, done } = chunks.next();
    if (done === true) return null;
    const { eventsAt, batchSize } = this.options;
    const events: StoredEvent[] = [];
    for (let from = 0; from < chunk.positions.length; from += batchSize) {
      events.push(...(await eventsAt(chunk.positions.slice(from, from + batchSize))));
    }
    if (events.length < chunk.positions.length) throw new NotByGroupsError('the log lost an event');
    return { chunk, events };
  }

  /** Folds a chunk, with a projector of its own: nothing of it is needed again. */
  async #fold(reading: Promise<ReadChunk | null>): Promise<FoldedChunk | null> {
    const read = await reading;
    if (read === null) return null;
    const { key, projectorOf, batchSize } = this.options;
    const { chunk, events } = read;
    const projector = projectorOf(key.generation, {
      timeAt: ({ position }) => timeIn(chunk, position),
      keepsTimes: false,
      bytesInMemory: Number.POSITIVE_INFINITY,
    });
    const batches: ProjectedBatch[] = [];
    for (let from = 0; from < events.length; from += batchSize) {
      const page = events.slice(from, from + batchSize);
      const batch = await projector.project(page.map(readEvent), BEGINNING);
      if (batch.applied < page.length) throw new NotByGroupsError('an event was not applied');
      batch.seal();
      batches.push(batch);
    }
    return { ...chunk, batches };
  }
}

const IN_ORDER: GroupedStep = { outcome: 'in order' };
const LOST: GroupedStep = { outcome: 'lost' };
const NOTHING: Promise<null> = Promise.resolve(null);

/** Where every chunk goes on from: what was before the stretch is in the database, and times are those of its events. */
const BEGINNING = {
  handled: null,
  partialProgress: [],
  logicalTime: 0,
  events: 0,
  setAside: NOTHING_SET_ASIDE,
} as const;

function moved(read: Checkpoint, applied: number): GroupedStep {
  const checkpoint = { ...read, revision: read.revision + 1, events: read.events + applied, fault: null };
  return { outcome: 'moved', checkpoint, applied };
}

/** A checkpoint after all was taken back. */
function begun({ revision }: Checkpoint): Checkpoint {
  return { ...BEGINNING, eventId: null, scanned: null, revision: revision + 1, fault: null };
}

function timeIn({ times }: Chunk, position: Position): number {
  const time = times.get(position);
  if (time === undefined) throw new Error(`position ${position} is of another chunk`);
  return time;
}
