import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position } from '../../events/stored-event.js';
import type { PartialEvent } from '../engine/partial-progress.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import {
  codeOf,
  EventFailedError,
  type Failure,
  messageOf,
  type ProjectionCursor,
  type RetryLimits,
  type SetAside,
} from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import { type LateEvent, readLate } from './late-events.js';
import { type SetAsides, whereOf } from './set-aside.js';
import type { OwnFault } from './set-aside-rows.js';
import { WriteBatch } from './write-batch.js';

/** An event as a batch has it. */
export type Given = EventEnvelope | UnreadableEvent;

/** Under what users are judged: an event, the projection's clock (Unix ms), and how far it was when the event came late. */
export interface Under {
  readonly event: { readonly id: string; readonly type: string; readonly position: Position };
  readonly now: number;
  readonly lateAt: Position | null;
  /** Publications that are under way, and judge first. */
  readonly partialProgress: readonly PartialEvent[];
}

/** What went wrong with users, each with what was thrown. */
export type FailedUsers = ReadonlyMap<string, unknown>;

/** How the projector folds and judges; what it makes goes into `changes`. */
export interface FoldingSteps {
  readonly codeVersion: string;
  readonly asides: SetAsides;
  /** Time that an event brings (Unix ms). */
  instantOf(event: EventEnvelope): number;
  /** Folds an event; returns who is to be judged. @throws EventFailedError */
  fold(event: EventEnvelope, index: number, changes: WriteBatch): Promise<readonly string[]>;
  /** Judges users; returns those who cannot be and could before, of whom nothing is changed. */
  judge(users: readonly string[], under: Under, changes: WriteBatch): Promise<FailedUsers>;
  /** Whether each of these users cannot be judged by what is folded now. Changes nothing. */
  allFail(users: Iterable<string>, under: Under): Promise<boolean>;
  /** Moves users on by time alone: they keep what they have. */
  stay(users: Iterable<string>, now: number, changes: WriteBatch): void;
  /** Judges everybody by a catalogue that comes late; returns whom, and who cannot be judged. */
  publishLate(
    event: Extract<EventEnvelope, { type: 'PlanCatalogPublished' }>,
    under: Under,
    changes: WriteBatch,
  ): Promise<{ readonly users: readonly string[]; readonly failed: FailedUsers }>;
  /** Sees whose the streams are that are set aside. */
  follow(changes: WriteBatch): Promise<void>;
  /** Drops what is in memory and loads what is needed again. */
  anew(): Promise<void>;
}

/** Rows around what fails: how many late events they take in, the clock after them, and what is newly set aside. */
export interface FoldedAround {
  readonly changes: WriteBatch;
  readonly now: number;
  readonly newly: readonly SetAside[];
}

/**
 * Folds around what fails (DESIGN 12): a fault takes what it concerns and no more. An event is set aside when it cannot be
 * read or folded, or when somebody cannot be judged with it who can be without it; where that is the user's own fault, the
 * user alone is marked, and keeps what was. What is set aside is folded on when other code, or ops, say so.
 */
export class FaultReducer {
  constructor(private readonly steps: FoldingSteps) {}

  /** Of an event that failed alone. */
  async setAside(event: Given, { failure }: EventFailedError, from: ProjectionCursor): Promise<FoldedAround> {
    const { asides, codeVersion } = this.steps;
    const changes = new WriteBatch();
    const under = this.#under(event, from, null);
    const newly: SetAside[] = [];
    if (under !== null && (await this.#isOfUsersAlone(failure, under))) {
      newly.push(...(await this.#foldWithout(failure, under, changes)));
    } else {
      const since = under?.now ?? from.logicalTime;
      asides.add(event, failure.cause, { since, code: codeVersion }, changes.setAside);
      newly.push(setAsideOf('stream', event.stream, whereOf(event), failure.cause));
    }
    await this.steps.follow(changes);
    return { changes, now: under?.now ?? from.logicalTime, newly };
  }

  /** Marks users who cannot be judged, or written, under an event, and leaves them what they have. */
  blame(
    failed: FailedUsers,
    under: Under,
    stage: OwnFault['stage'],
    changes: WriteBatch,
  ): readonly SetAside[] {
    // Of whom not even that can be written nothing is.
    if (stage === 'judge') this.steps.stay(failed.keys(), under.now, changes);
    return this.mark(failed, under, stage, changes);
  }

  /** Marks such users; what becomes of their rows is seen to. */
  mark(
    failed: FailedUsers,
    under: Under,
    stage: OwnFault['stage'],
    changes: WriteBatch,
  ): readonly SetAside[] {
    const { asides, codeVersion } = this.steps;
    return [...failed].map(([userId, cause]) => {
      const why = { cause, stage, since: under.now };
      asides.blame(userId, under.event, why, codeVersion, changes.setAside);
      return setAsideOf('user', userId, under.event, cause);
    });
  }

  /** Some of what is set aside and is to be tried; `null` when there is nothing. */
  async foldOn(
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
    const changes = new WriteBatch();
    const touched = new Set<string>();
    const newly: SetAside[] = [];
    let now = from.logicalTime;
    for (const [index, each] of late.entries()) {
      const { event, next } = each;
      if (isPublication(event) && index > 0) break;
      const under = this.#under(event, { logicalTime: now, partialProgress: [] }, handled);
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
      asides.advance(event.stream, next, handled, changes.setAside);
      if (isPublication(event)) break;
    }
    await this.steps.follow(changes);
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
        newly.push(...this.blame(failed, under, 'judge', changes));
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
    const changes = new WriteBatch();
    const newly: SetAside[] = [];
    const touched = new Set(asides.usersOf(event.stream));
    const under = this.#under(event, from, handled);
    const isSkipped = await source.isSkipped(whereOf(event));
    const isOfUsers = !isSkipped && under !== null && (await this.#isOfUsersAlone(failure, under));
    if (!isSkipped && !isOfUsers) {
      asides.failAgain(event, failure.cause, codeVersion, changes.setAside);
      await this.steps.follow(changes);
      return { changes, now: from.logicalTime, newly };
    }
    if (isOfUsers && under !== null) newly.push(...(await this.#foldWithout(failure, under, changes)));
    asides.advance(event.stream, next, handled, changes.setAside);
    await this.steps.follow(changes);
    for (const userId of [...touched, ...changes.users.keys()]) changes.setAside.late.set(userId, handled);
    return { changes, now: under?.now ?? from.logicalTime, newly };
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
    const changes = new WriteBatch();
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

  /** Whether what failed are users by themselves: those who can be judged without the event show that it is the event. */
  async #isOfUsersAlone(failure: Failure, under: Under): Promise<boolean> {
    if (failure.stage === 'write') return failure.unwritable.whole === null;
    return failure.stage === 'judge' && (await this.steps.allFail(failure.users.keys(), under));
  }

  /** Folds an event and judges whom it can, and marks the others. */
  async #foldWithout(
    failure: Failure,
    under: Under & { readonly event: EventEnvelope },
    changes: WriteBatch,
  ): Promise<readonly SetAside[]> {
    const affected = await this.steps.fold(under.event, 0, changes);
    const unwritable: FailedUsers = failure.stage === 'write' ? failure.unwritable.users : new Map();
    const judged = affected.filter((userId) => !unwritable.has(userId));
    const failed = await this.steps.judge(judged, under, changes);
    return [
      ...this.blame(unwritable, under, 'write', changes),
      ...this.blame(failed, under, 'judge', changes),
    ];
  }

  /** `null` of an event that cannot be read: it brings no time. */
  #under(
    event: Given,
    { logicalTime, partialProgress }: Pick<ProjectionCursor, 'logicalTime' | 'partialProgress'>,
    lateAt: Position | null,
  ): (Under & { readonly event: EventEnvelope }) | null {
    if (event instanceof UnreadableEvent) return null;
    return { event, now: Math.max(logicalTime, this.steps.instantOf(event)), lateAt, partialProgress };
  }
}

export function isPublication(
  event: Given,
): event is Extract<EventEnvelope, { type: 'PlanCatalogPublished' }> {
  return !(event instanceof UnreadableEvent) && event.type === 'PlanCatalogPublished';
}

/** That users cannot be judged, told by the first of them. */
export function judgeFailure(users: FailedUsers): Failure {
  const [cause] = [...users.values()];
  return { stage: 'judge', cause, users };
}

function setAsideOf(
  kind: SetAside['kind'],
  id: string,
  { position, type }: Omit<Under['event'], 'id'>,
  cause: unknown,
): SetAside {
  return { kind, id, position, type, code: codeOf(cause), message: messageOf(cause) };
}
