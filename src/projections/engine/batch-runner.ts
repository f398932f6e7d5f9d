import type { Pool } from 'pg';
import { isTransient } from '../../database/transient.js';
import { UnknownPositionError } from '../../event-store/errors.js';
import type { Page, Position, StoredEvent } from '../../event-store/event-store.js';
import { parseEvent, type RecordedEvent } from '../../events/recorded-event.js';
import { BatchSize } from './batch-size.js';
import {
  type Checkpoint,
  moveCheckpoint,
  noteScanned,
  type ProjectionFault,
  type ProjectionKey,
} from './checkpoint.js';
import type { FoldedLog } from './folded-log.js';
import type { ProjectedBatch, Projector } from './projector.js';
import { type RecentChange, withChange } from './recent-changes.js';
import type { UnderWay } from './under-way.js';

/**
 * What came of one round: rows committed, nothing to read, another instance was faster, a fault at an event, or a log that
 * is not the one of the checkpoint.
 */
export type Round =
  | {
      readonly outcome: 'committed';
      readonly checkpoint: Checkpoint;
      readonly batch: ProjectedBatch;
      readonly more: boolean;
    }
  | { readonly outcome: 'idle'; readonly checkpoint: Checkpoint }
  | { readonly outcome: 'lost' }
  | { readonly outcome: 'other log' }
  | { readonly outcome: 'fault'; readonly fault: ProjectionFault };

/** An event that could not be folded; everything before it was. */
class FaultAtEvent extends Error {
  constructor(
    readonly event: { readonly position: Position; readonly type: string },
    override readonly cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause));
  }
}

/** What is made of an event that is skipped. */
const NOTHING: Omit<ProjectedBatch, 'now' | 'within'> = {
  applied: 1,
  changed: [],
  write: async () => undefined,
};

/**
 * Runs one batch after another: read a page, project it, commit rows and checkpoint in one transaction. Where an event is
 * under way, every other round writes the next part of it.
 */
export class BatchRunner {
  /** After a fault inside a batch: one event at a time, so that all before the faulty one are applied. */
  #careful = 0;
  /** What is under way and the events after it take turns; whoever takes over begins with the events. */
  #isTurnOfParts = false;
  #recent: readonly RecentChange[] = [];
  readonly #size: BatchSize;

  constructor(
    private readonly log: FoldedLog,
    private readonly pool: Pool,
    private readonly projector: Projector<RecordedEvent>,
    private readonly key: ProjectionKey,
    batchSize: number,
  ) {
    this.#size = new BatchSize(batchSize);
  }

  /** One round from `read`. Throws what is transient: the same round may pass later, after a time-out with less in it. */
  async run(read: Checkpoint): Promise<Round> {
    try {
      const round = await this.#round(read);
      if (round.outcome === 'committed') this.#size.passed();
      return round;
    } catch (error) {
      this.#size.failed(error);
      throw error;
    }
  }

  async #round(read: Checkpoint): Promise<Round> {
    const [underWay] = read.within;
    const isTurnOfPart = underWay !== undefined && this.#isTurnOfParts;
    const limit = this.#careful > 0 ? 1 : this.#size.now;
    const [page, isKnown] = await Promise.all([
      isTurnOfPart ? { events: [], scanned: null } : this.#page(read, limit),
      this.log.holds(read),
    ]);
    if (!isKnown) return { outcome: 'other log' };
    if (page.events.length === 0) {
      return underWay === undefined ? this.#nothing(read, page.scanned) : this.#goOn(underWay, read);
    }
    this.#isTurnOfParts = true;
    try {
      const round = await this.#project(page.events, read, page.scanned, limit);
      if (this.#careful > 0) this.#careful -= 1;
      return round;
    } catch (error) {
      if (isTransient(error)) throw error;
      this.projector.forget();
      const [first] = page.events;
      if (page.events.length === 1 && first !== undefined) {
        const skipped = { ...NOTHING, within: read.within, now: read.now };
        return this.#passOrStop(first, error, () => this.#moveOn([first], skipped, read, page.scanned, 1));
      }
      this.#careful = page.events.length;
      return this.#round(read);
    }
  }

  /** What was scanned beyond the last event applied is of others, and theirs to remove: then that event is gone on from. */
  async #page({ scanned, handled }: Pick<Checkpoint, 'scanned' | 'handled'>, limit: number): Promise<Page> {
    try {
      return await this.log.readAll(scanned, limit);
    } catch (error) {
      if (!(error instanceof UnknownPositionError)) throw error;
      // Where the log does not hold that event either, it is another log, which `holds` says.
      return scanned === handled ? { events: [], scanned } : this.#page({ scanned: handled, handled }, limit);
    }
  }

  /** Writes the next part of an event; where that fails, and the log says that it is skipped, no other part. */
  async #goOn(event: UnderWay, read: Checkpoint): Promise<Round> {
    this.#isTurnOfParts = false;
    try {
      return await this.#moveOn([], await this.projector.goOn(read), read, read.scanned, 0);
    } catch (error) {
      if (isTransient(error)) throw error;
      this.projector.forget();
      const rest = { ...NOTHING, applied: 0, within: read.within.slice(1), now: read.now };
      return this.#passOrStop(event, error, () => this.#moveOn([], rest, read, read.scanned, 0));
    }
  }

  async #project(
    stored: readonly StoredEvent[],
    read: Checkpoint,
    scanned: Position | null,
    limit: number,
  ): Promise<Round> {
    const events = stored.map(parseEvent);
    const batch = await this.projector.project(events, read);
    return this.#moveOn(events, batch, read, scanned, limit);
  }

  async #moveOn(
    events: readonly { readonly position: Position; readonly id: string }[],
    batch: ProjectedBatch,
    read: Checkpoint,
    scanned: Position | null,
    limit: number,
  ): Promise<Round> {
    const last = events[batch.applied - 1];
    const isWhole = batch.applied === events.length;
    const next: Checkpoint = {
      handled: last?.position ?? read.handled,
      eventId: last?.id ?? read.eventId,
      scanned: isWhole ? scanned : (last?.position ?? read.scanned),
      within: batch.within,
      now: batch.now,
      revision: read.revision + 1,
      fault: null,
    };
    if ((await this.#commit(read, next, batch)) === 'lost') {
      this.projector.forget();
      return { outcome: 'lost' };
    }
    return {
      outcome: 'committed',
      checkpoint: next,
      batch,
      more: !isWhole || events.length === limit || next.within.length > 0,
    };
  }

  /** An event that cannot be folded is gone past, without rows, where the log says that it is skipped. */
  async #passOrStop(
    event: Pick<StoredEvent, 'id' | 'position' | 'type'>,
    cause: unknown,
    pass: () => Promise<Round>,
  ): Promise<Round> {
    try {
      if (!(await this.log.isSkipped(event))) {
        return { outcome: 'fault', fault: faultOf(new FaultAtEvent(event, cause)) };
      }
    } catch (error) {
      if (isTransient(error)) throw error;
      return { outcome: 'fault', fault: faultOf(new FaultAtEvent(event, error)) };
    }
    this.#careful = 0; // what it was for is found
    return pass();
  }

  async #nothing(read: Checkpoint, scanned: Position | null): Promise<Round> {
    if (scanned === null || scanned === read.scanned) return { outcome: 'idle', checkpoint: read };
    await noteScanned(this.pool, this.key, read, scanned);
    return { outcome: 'idle', checkpoint: { ...read, scanned } };
  }

  async #commit(read: Checkpoint, next: Checkpoint, batch: ProjectedBatch): Promise<'moved' | 'lost'> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    const note = (error: Error): void => {
      broken = error; // a checked-out client without a listener would end the process
    };
    client.on('error', note);
    try {
      // Rows and checkpoint are lost together or not at all, and the log can be folded again: no flush of its own.
      await client.query('begin; set local synchronous_commit = off');
      const recent = withChange(this.#recent, next.revision, batch.changed);
      const moved = await moveCheckpoint(client, this.key, {
        read,
        next,
        codeVersion: this.projector.codeVersion,
        applied: batch.applied,
        recent,
      });
      if (moved === 'moved') {
        await batch.write(client);
        await client.query('commit');
        this.#recent = recent;
      } else {
        await client.query('rollback');
      }
      return moved;
    } catch (error) {
      this.projector.forget();
      broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      client.off('error', note);
      // A connection in the middle of a failed transaction is thrown away: its rollback is the server's business.
      client.release(broken);
    }
  }
}

function faultOf({ event, cause, message }: FaultAtEvent): ProjectionFault {
  const code =
    typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string'
      ? cause.code
      : 'projector_failed';
  return { position: event.position, type: event.type, code, message };
}
