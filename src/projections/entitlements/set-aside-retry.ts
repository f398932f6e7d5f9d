import type { Position } from '../../events/stored-event.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import {
  EventFailedError,
  type Failure,
  type ProjectionCursor,
  type RetryLimits,
  type SetAside,
} from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import { whereOf } from './failed-event.js';
import {
  type FaultReducer,
  type FoldedAround,
  type FoldingSteps,
  type Given,
  isPublication,
  judgeFailure,
  type Under,
} from './fault-reducer.js';
import { type LateEvent, readLate } from './late-events.js';
import { WriteBatch } from './write-batch.js';

/**
 * Folds events that were set aside, in the log's order, when other code runs or ops asked for it, and judges users again whose
 * own fault it was. An event that fails again stays set aside.
 */
export class SetAsideRetry {
  constructor(
    private readonly steps: FoldingSteps,
    private readonly faults: FaultReducer,
  ) {}

  /** Retries some of what is set aside; `null` when there is nothing to retry. */
  async retry(
    source: ProjectionSource,
    from: ProjectionCursor,
    limits: RetryLimits,
  ): Promise<FoldedAround | null> {
    const { handled } = from;
    if (from.partialProgress.length > 0 || handled === null) return null;
    const { asides, codeVersion } = this.steps;
    const streams = asides.streamsToTry(codeVersion);
    if (streams.length === 0) return this.#judgeAgain(from, handled, limits);
    const late = await readLate(source, streams, handled);
    const [first] = late;
    if (first === undefined) return null;
    if (limits.unwritable !== null) {
      const { unwritable } = limits;
      const cause = unwritable.whole ?? [...unwritable.users.values()][0];
      return this.#refuseLate(source, first, { stage: 'write', cause, unwritable }, from);
    }
    return this.#foldLate(source, late.slice(0, limits.events), from, handled);
  }

  async #foldLate(
    source: ProjectionSource,
    late: readonly LateEvent[],
    from: ProjectionCursor,
    handled: Position,
  ): Promise<FoldedAround> {
    const { asides } = this.steps;
    const changes = new WriteBatch('late');
    const touched = new Set<string>();
    const newly: SetAside[] = [];
    let now = from.logicalTime;
    for (const [index, each] of late.entries()) {
      const { event, next } = each;
      if (isPublication(event) && index > 0) break;
      const under = this.faults.under(event, { logicalTime: now, partialProgress: [] }, handled);
      for (const userId of asides.usersOf(event.stream)) touched.add(userId);
      const failure = await this.#tryLate(event, under, changes, touched, newly);
      if (failure !== null) {
        // What is in memory is not what is before this event.
        await this.steps.anew();
        return index > 0
          ? this.#foldLate(source, late.slice(0, index), from, handled)
          : this.#refuseLate(source, each, failure, from);
      }
      now = under?.now ?? now;
      asides.advance(event.stream, next, { lateAt: handled, now }, changes.setAside);
      if (isPublication(event)) break;
    }
    await this.steps.follow(now, changes);
    for (const userId of touched) changes.setAside.late.set(userId, handled);
    return { changes, now, newly };
  }

  /** Folds and judges an event that comes late; what it failed at, `null` when it did not. */
  async #tryLate(
    event: Given,
    under: Under | null,
    changes: WriteBatch,
    touched: Set<string>,
    newly: SetAside[],
  ): Promise<Failure | null> {
    if (event instanceof UnreadableEvent || under === null) {
      return { stage: 'read', cause: event instanceof UnreadableEvent ? event.cause : null };
    }
    try {
      if (event.type === 'PlanCatalogPublished') {
        const { users, failed } = await this.steps.publishLate(event, under, changes);
        newly.push(...this.faults.blame(failed, under, 'judge', changes));
        for (const userId of users) touched.add(userId);
        return null;
      }
      const affected = await this.steps.fold(event, 0, changes);
      for (const userId of affected) touched.add(userId);
      const failed = await this.steps.judge(affected, under, changes);
      return failed.size === 0 ? null : judgeFailure(failed);
    } catch (error) {
      if (error instanceof EventFailedError) return error.failure;
      throw error;
    }
  }

  /** Of one late event that failed again: skipped, a user's own fault, or set aside as before. */
  async #refuseLate(
    source: ProjectionSource,
    { event, next }: LateEvent,
    failure: Failure,
    from: ProjectionCursor,
  ): Promise<FoldedAround> {
    const { asides, codeVersion } = this.steps;
    const handled = from.handled ?? '0';
    const changes = new WriteBatch('late');
    const newly: SetAside[] = [];
    const touched = new Set(asides.usersOf(event.stream));
    const under = this.faults.under(event, from, handled);
    const isSkipped = await source.isSkipped(whereOf(event));
    const isOfUsers = !isSkipped && under !== null && (await this.faults.isOfUsersAlone(failure, under));
    if (!isSkipped && !isOfUsers) {
      asides.failAgain(event, failure.cause, codeVersion, changes.setAside);
      await this.steps.follow(from.logicalTime, changes);
      return { changes, now: from.logicalTime, newly };
    }
    if (isOfUsers && under !== null) newly.push(...(await this.faults.foldWithout(failure, under, changes)));
    const now = under?.now ?? from.logicalTime;
    asides.advance(event.stream, next, { lateAt: handled, now }, changes.setAside);
    await this.steps.follow(now, changes);
    for (const userId of [...touched, ...changes.users.keys()]) changes.setAside.late.set(userId, handled);
    return { changes, now, newly };
  }

  /** Judges those again who could not be judged by other code, or before what was in the way was gone. */
  async #judgeAgain(
    from: ProjectionCursor,
    handled: Position,
    { unwritable }: RetryLimits,
  ): Promise<FoldedAround | null> {
    const { asides, codeVersion } = this.steps;
    const users = asides.usersToTry(codeVersion);
    if (users.length === 0) return null;
    const changes = new WriteBatch('late');
    for (const [userId, own] of users) {
      const event = { id: own.eventId, type: own.eventType, position: own.position };
      const under = { event, now: from.logicalTime, lateAt: handled, partialProgress: [] };
      const isWritable = unwritable === null || (unwritable.whole === null && !unwritable.users.has(userId));
      if (isWritable) await this.steps.judge([userId], under, changes);
      // Who still cannot be judged is not tried again by this code.
      if (asides.ownFault(userId) !== null) asides.tried(userId, codeVersion, changes.setAside);
      else changes.setAside.late.set(userId, handled);
    }
    return { changes, now: from.logicalTime, newly: [] };
  }
}
