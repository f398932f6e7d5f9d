import type { Pool } from 'pg';
import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position, StoredEvent } from '../../events/stored-event.js';
import { BatchCommitter, type BatchToCommit, nextCheckpoint } from './batch-committer.js';
import { BatchSize, readKnownPage } from './batch-reader.js';
import type { Checkpoint } from './checkpoint.js';
import { FoldAhead, type PageToApply } from './fold-ahead.js';
import type { ProjectionKey } from './projection-key.js';
import type { ProjectionSource } from './projection-source.js';
import { EventFailedError, type Projector } from './projector.js';
import { faultAt, forgetAfter, type Round, WriteFailedError } from './round.js';
import { SetAsideRounds } from './set-aside-rounds.js';
import { readEvent } from './unreadable-event.js';

/** `ahead`: the next batch is folded while one is being written; for folds that read on and on, and that nobody waits for. */
export type Pace = 'one by one' | 'ahead';

/**
 * Runs one batch after another: read a page, project it, commit rows and checkpoint in one transaction. Where an event is
 * written in parts, every other round writes the next part of it.
 */
export class BatchRunner {
  /** Rounds that take one event at a time: after rows were refused, nobody knows of which event. */
  #careful = 0;
  /** Parts of an event and the events after it take turns; whoever takes over begins with the events. */
  #isTurnOfParts = false;
  readonly #size: BatchSize;
  readonly #committer: BatchCommitter;
  readonly #rounds: SetAsideRounds;
  readonly #ahead: FoldAhead;

  constructor(
    private readonly source: ProjectionSource,
    pool: Pool,
    private readonly projector: Projector<EventEnvelope>,
    key: ProjectionKey,
    batchSize: number,
    private readonly pace: Pace = 'one by one',
  ) {
    this.#size = new BatchSize(batchSize);
    this.#committer = new BatchCommitter(pool, key, projector);
    this.#rounds = new SetAsideRounds(source, projector, this.#committer);
    this.#ahead = new FoldAhead(source, projector);
  }

  /** One round from `read`. Throws what is transient: the same round may pass later, after a time-out with less in it. */
  async run(read: Checkpoint): Promise<Round> {
    try {
      const round = await this.#round(read);
      if (round.outcome === 'committed') this.#size.passed();
      else await this.#ahead.drop();
      return round;
    } catch (error) {
      await this.#ahead.drop();
      this.#size.failed(error);
      throw error;
    }
  }

  /** Gives up what is folded and not committed; for whoever does not go on. */
  stop(): Promise<void> {
    return this.#ahead.drop();
  }

  async #round(read: Checkpoint): Promise<Round> {
    const ahead = await this.#ahead.take(read);
    const [firstAhead] = ahead?.events ?? [];
    if (ahead !== null && firstAhead !== undefined) return this.#apply(firstAhead, ahead);
    const [partial] = read.partialProgress;
    const isTurnOfPart = partial !== undefined && this.#isTurnOfParts;
    const limit = this.#careful > 0 ? 1 : this.#size.now;
    const { events, scanned, isKnown } = isTurnOfPart
      ? { events: [], scanned: null, isKnown: await this.source.holds(read) }
      : await readKnownPage(this.source, read, limit);
    if (!isKnown) return { outcome: 'other log' };
    const retried = await this.#rounds.retry(read);
    if (retried !== null) return retried;
    const [first] = events;
    if (first !== undefined) return this.#apply(first, { events, batch: null, read, scanned, limit });
    if (partial === undefined) return this.#committer.commitNothing(read, scanned);
    this.#isTurnOfParts = false;
    return this.#rounds.writePart(partial, read, null);
  }

  /** Applies a page that begins with `first`, or what of it comes before an event that fails. */
  async #apply(first: StoredEvent, page: PageToApply): Promise<Round> {
    const { events, read, scanned } = page;
    this.#isTurnOfParts = true;
    try {
      const round = await this.#project(page);
      if (this.#careful > 0) this.#careful -= 1;
      return round;
    } catch (error) {
      await this.#ahead.drop();
      forgetAfter(this.projector, error);
      const upToFirst = events.length === 1 ? scanned : first.position;
      if (error instanceof EventFailedError) {
        return error.index > 0
          ? this.#applyBefore(events.slice(0, error.index), read)
          : this.#goPast(first, error, read, upToFirst);
      }
      if (events.length > 1) return this.#carefully(events, read);
      if (!(error instanceof WriteFailedError)) return faultAt(first, error);
      return this.#goPast(first, await this.#committer.findRefused(error), read, upToFirst);
    }
  }

  async #project(page: PageToApply): Promise<Round> {
    const { events, read } = page;
    const batch = page.batch ?? (await this.projector.project(events.map(readEvent), read));
    const given: BatchToCommit = { ...page, batch };
    const next = nextCheckpoint(given);
    const committing = this.#committer.commitTo(next, given);
    if (this.pace === 'ahead' && this.#careful === 0) this.#ahead.begin(given, next);
    return committing;
  }

  /** Applies the events before one that failed, which did not. */
  async #applyBefore(events: readonly StoredEvent[], read: Checkpoint): Promise<Round> {
    const scanned = events.at(-1)?.position ?? read.scanned;
    try {
      return await this.#project({ events, batch: null, read, scanned, limit: events.length });
    } catch (error) {
      await this.#ahead.drop();
      forgetAfter(this.projector, error);
      return this.#carefully(events, read);
    }
  }

  /** Takes the events of a page one at a time, to find the one that fails. */
  #carefully(events: readonly StoredEvent[], read: Checkpoint): Promise<Round> {
    this.#careful = events.length;
    return this.#round(read);
  }

  #goPast(
    event: StoredEvent,
    failed: EventFailedError,
    read: Checkpoint,
    scanned: Position | null,
  ): Promise<Round> {
    this.#careful = 0; // the event it was for is found
    return this.#rounds.goPast(event, failed, read, scanned);
  }
}
