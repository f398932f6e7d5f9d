import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position } from '../../events/stored-event.js';
import type { PartialEvent } from '../engine/partial-progress.js';
import {
  codeOf,
  type EventFailedError,
  type Failure,
  messageOf,
  type ProjectionCursor,
  type SetAside,
} from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import { whereOf } from './failed-event.js';
import type { SetAsides } from './set-aside.js';
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
  follow(now: number, changes: WriteBatch): Promise<void>;
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
 * user alone is marked, and keeps what was.
 */
export class FaultReducer {
  constructor(private readonly steps: FoldingSteps) {}

  /** Sets an event that failed alone aside, or marks the users whose own fault it is. */
  async setAside(event: Given, { failure }: EventFailedError, from: ProjectionCursor): Promise<FoldedAround> {
    const { asides, codeVersion } = this.steps;
    const changes = new WriteBatch();
    const under = this.under(event, from, null);
    const newly: SetAside[] = [];
    if (under !== null && (await this.isOfUsersAlone(failure, under))) {
      newly.push(...(await this.foldWithout(failure, under, changes)));
    } else {
      const since = under?.now ?? from.logicalTime;
      asides.add(event, failure.cause, { since, code: codeVersion }, changes.setAside);
      newly.push(setAsideOf('stream', event.stream, whereOf(event), failure.cause));
    }
    const now = under?.now ?? from.logicalTime;
    await this.steps.follow(now, changes);
    return { changes, now, newly };
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

  /** Whether what failed are users by themselves: those who can be judged without the event show that it is the event. */
  async isOfUsersAlone(failure: Failure, under: Under): Promise<boolean> {
    if (failure.stage === 'write') return failure.unwritable.whole === null;
    return failure.stage === 'judge' && (await this.steps.allFail(failure.users.keys(), under));
  }

  /** Folds an event and judges whom it can, and marks the others. */
  async foldWithout(
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

  /** What users are judged under at an event; `null` where it cannot be read, because it brings no time then. */
  under(
    event: Given,
    { logicalTime, partialProgress }: Pick<ProjectionCursor, 'logicalTime' | 'partialProgress'>,
    lateAt: Position | null,
  ): (Under & { readonly event: EventEnvelope }) | null {
    if (event instanceof UnreadableEvent) return null;
    return { event, now: Math.max(logicalTime, this.steps.instantOf(event)), lateAt, partialProgress };
  }
}

/** Whether an event publishes a catalogue. */
export function isPublication(
  event: Given,
): event is Extract<EventEnvelope, { type: 'PlanCatalogPublished' }> {
  return !(event instanceof UnreadableEvent) && event.type === 'PlanCatalogPublished';
}

/** The failure of users who cannot be judged, with the cause of the first of them. */
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
