import type { Pool } from 'pg';
import { isTransient } from '../../database/transient.js';
import { UnknownPositionError } from '../../event-store/errors.js';
import type { Page } from '../../event-store/event-store.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { BatchSize } from './batch-size.js';
import { type Checkpoint, moveCheckpoint, noteScanned, type ProjectionFault } from './checkpoint.js';
import type { ProjectionKey } from './projection-key.js';
import type { ProjectionSource } from './projection-source.js';
import {
  codeOf,
  EventFailedError,
  type FoldOnLimits,
  messageOf,
  type ProjectedBatch,
  type Projector,
  type Unwritable,
} from './projector.js';
import { type RecentChange, withChange } from './recent-changes.js';
import type { UnderWay } from './under-way.js';
import { readEvent } from './unreadable-event.js';

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

/** Rows that the database refused. */
class WriteFailedError extends Error {
  constructor(
    readonly batch: ProjectedBatch,
    override readonly cause: unknown,
  ) {
    super(messageOf(cause), { cause });
  }
}

/** What is made of an event that is skipped. */
const NOTHING: Omit<ProjectedBatch, 'now' | 'within' | 'setAside'> = {
  applied: 1,
  changed: [],
  newlySetAside: [],
  write: async () => undefined,
  findUnwritable: async () => ({ whole: null, users: new Map() }),
};

/** Late events in one transaction. */
const LATE: FoldOnLimits = { events: 500, unwritable: null };

/**
 * Runs one batch after another: read a page, project it, commit rows and checkpoint in one transaction. Where an event is
 * under way, every other round writes the next part of it.
 */
export class BatchRunner {
  /** After rows were refused, nobody knows of which event: one event at a time. */
  #careful = 0;
  /** What is under way and the events after it take turns; whoever takes over begins with the events. */
  #isTurnOfParts = false;
  #recent: readonly RecentChange[] = [];
  readonly #size: BatchSize;

  constructor(
    private readonly source: ProjectionSource,
    private readonly pool: Pool,
    private readonly projector: Projector<EventEnvelope>,
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
      this.source.holds(read),
    ]);
    if (!isKnown) return { outcome: 'other log' };
    const late = await this.#foldOn(read);
    if (late !== null) return late;
    const { events, scanned } = page;
    const [first] = events;
    if (first === undefined) {
      return underWay === undefined ? this.#nothing(read, scanned) : this.#goOn(underWay, read, null);
    }
    this.#isTurnOfParts = true;
    try {
      const round = await this.#project(events, read, scanned, limit);
      if (this.#careful > 0) this.#careful -= 1;
      return round;
    } catch (error) {
      this.#forgetAfter(error);
      const upToFirst = events.length === 1 ? scanned : first.position;
      if (error instanceof EventFailedError) {
        return error.index > 0
          ? this.#before(events.slice(0, error.index), read)
          : this.#around(first, error, read, upToFirst);
      }
      if (events.length > 1) return this.#carefully(events, read);
      if (!(error instanceof WriteFailedError)) return { outcome: 'fault', fault: faultOf(first, error) };
      return this.#around(first, await this.#whatFailed(error), read, upToFirst);
    }
  }

  /** What was scanned beyond the last event applied is of others, and theirs to remove: then that event is gone on from. */
  async #page({ scanned, handled }: Pick<Checkpoint, 'scanned' | 'handled'>, limit: number): Promise<Page> {
    try {
      return await this.source.readAll(scanned, limit);
    } catch (error) {
      if (!(error instanceof UnknownPositionError)) throw error;
      // Where the log does not hold that event either, it is another log, which `holds` says.
      return scanned === handled ? { events: [], scanned } : this.#page({ scanned: handled, handled }, limit);
    }
  }

  /** Writes the next part of an event; where that fails, and the log says that it is skipped, no other part. */
  async #goOn(event: UnderWay, read: Checkpoint, unwritable: Unwritable | null): Promise<Round> {
    this.#isTurnOfParts = false;
    try {
      return await this.#moveOn([], await this.projector.goOn(read, unwritable), read, read.scanned, 0);
    } catch (error) {
      this.#forgetAfter(error);
      if (error instanceof WriteFailedError && unwritable === null) {
        const { failure } = await this.#whatFailed(error);
        if (failure.stage === 'write' && failure.unwritable.whole === null) {
          return this.#goOn(event, read, failure.unwritable);
        }
      }
      if (!(await this.source.isSkipped(event))) return { outcome: 'fault', fault: faultOf(event, error) };
      const rest = {
        ...NOTHING,
        applied: 0,
        within: read.within.slice(1),
        now: read.now,
        setAside: read.setAside,
      };
      return this.#moveOn([], rest, read, read.scanned, 0);
    }
  }

  async #project(
    stored: readonly StoredEvent[],
    read: Checkpoint,
    scanned: Position | null,
    limit: number,
  ): Promise<Round> {
    const batch = await this.projector.project(stored.map(readEvent), read);
    return this.#moveOn(stored, batch, read, scanned, limit);
  }

  /** The events before one that failed, which did not. */
  async #before(events: readonly StoredEvent[], read: Checkpoint): Promise<Round> {
    try {
      return await this.#project(events, read, events.at(-1)?.position ?? read.scanned, events.length);
    } catch (error) {
      this.#forgetAfter(error);
      return this.#carefully(events, read);
    }
  }

  #carefully(events: readonly StoredEvent[], read: Checkpoint): Promise<Round> {
    this.#careful = events.length;
    return this.#round(read);
  }

  /**
   * Goes on around an event that failed alone: without rows where the log says that it is skipped, else as the projector
   * sets it aside; and stands at it where not even that can be done.
   */
  async #around(
    event: StoredEvent,
    failed: EventFailedError,
    read: Checkpoint,
    scanned: Position | null,
  ): Promise<Round> {
    this.#careful = 0; // what it was for is found
    try {
      const batch = (await this.source.isSkipped(event))
        ? { ...NOTHING, within: read.within, now: read.now, setAside: read.setAside }
        : await this.projector.setAside(readEvent(event), failed, read);
      return await this.#moveOn([event], batch, read, scanned, 1);
    } catch (error) {
      this.#forgetAfter(error);
      if (error instanceof WriteFailedError && failed.failure.stage !== 'write') {
        return this.#around(event, await this.#whatFailed(error), read, scanned);
      }
      return { outcome: 'fault', fault: faultOf(event, error) };
    }
  }

  /** Folds on what is set aside and is to be tried; `null` when there is nothing. */
  async #foldOn(read: Checkpoint, limits = LATE): Promise<Round | null> {
    try {
      const batch = await this.projector.foldOn(this.source, read, limits);
      return batch === null ? null : await this.#moveOn([], batch, read, read.scanned, 0);
    } catch (error) {
      this.#forgetAfter(error);
      if (error instanceof WriteFailedError && limits.unwritable === null) {
        if (limits.events > 1) return this.#foldOn(read, { ...limits, events: 1 });
        const { failure } = await this.#whatFailed(error);
        if (failure.stage === 'write') {
          return this.#foldOn(read, { events: 1, unwritable: failure.unwritable });
        }
      }
      const at = { position: read.handled ?? '0', type: 'set aside' };
      return { outcome: 'fault', fault: faultOf(at, error) };
    }
  }

  /** Drops what is in memory of a round that failed. @throws what may pass */
  #forgetAfter(error: unknown): void {
    this.projector.forget();
    const cause = error instanceof WriteFailedError ? error.cause : error;
    if (isTransient(cause)) throw cause;
  }

  /** Finds what of refused rows is refused. */
  async #whatFailed({ batch, cause }: WriteFailedError): Promise<EventFailedError> {
    const client = await this.pool.connect();
    try {
      await client.query('begin');
      const found = await batch.findUnwritable(client);
      const nothing = found.whole === null && found.users.size === 0;
      const unwritable = nothing ? { ...found, whole: cause } : found;
      return new EventFailedError(0, { stage: 'write', cause, unwritable });
    } finally {
      client.release(true); // and with it what was tried
    }
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
      events: read.events + batch.applied,
      setAside: batch.setAside,
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
        await batch.write(client).catch((error: unknown) => {
          throw new WriteFailedError(batch, error);
        });
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

function faultOf(
  { position, type }: { readonly position: Position; readonly type: string },
  error: unknown,
): ProjectionFault {
  const cause = error instanceof WriteFailedError ? error.cause : error;
  return { position, type, code: codeOf(cause), message: messageOf(cause) };
}
