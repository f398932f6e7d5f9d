import { isTransient } from '../../database/transient.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import type { Queries } from './fact-queries.js';
import type { FactsLoader } from './facts-loader.js';
import { failedEvent, type Named, whereOf } from './failed-event.js';
import {
  type AsideStream,
  type FaultedUser,
  type Mark,
  type OwnFault,
  readSetAside,
  type SetAsideChanges,
} from './set-aside-rows.js';
import { claimsOf, isInMemory, loadSubject, sorted, subjectOf, usersOfSubject } from './set-aside-subject.js';
import type { WorkingSet } from './working-set.js';

/** Streams that are set aside and users who are marked, of one generation, in memory; loaded whole, because they are few. */
export class SetAsides {
  readonly #streams = new Map<string, AsideStream>();
  readonly #users = new Map<string, FaultedUser>();
  /** Streams whose subject cannot be loaded: whose they are stays as it was known. */
  readonly #lost = new Set<string>();
  #isLoaded = false;

  /** Whether no stream is set aside. */
  get isEmpty(): boolean {
    return this.#streams.size === 0;
  }

  get streams(): readonly AsideStream[] {
    return [...this.#streams.values()];
  }

  get counts(): { readonly streams: number; readonly users: number } {
    return { streams: this.#streams.size, users: this.#users.size };
  }

  async load(queries: Queries, generation: number): Promise<void> {
    if (this.#isLoaded) return;
    const { streams, users } = await readSetAside(queries, generation);
    for (const stream of streams) this.#streams.set(stream.stream, stream);
    for (const [userId, user] of users) this.#users.set(userId, user);
    this.#isLoaded = true;
  }

  clear(): void {
    this.#streams.clear();
    this.#users.clear();
    this.#lost.clear();
    this.#isLoaded = false;
  }

  /** Whether events of a stream are set aside, so that later ones are too. */
  holds(stream: string): boolean {
    return this.#streams.has(stream);
  }

  /** Why a user cannot be judged or written; `null` for everybody else. */
  ownFault(userId: string): OwnFault | null {
    return this.#users.get(userId)?.own ?? null;
  }

  /** Streams of which events are to be tried by this code. */
  streamsToTry(code: string): readonly AsideStream[] {
    return this.streams.filter(({ triedBy }) => triedBy !== code);
  }

  /** Users who are to be judged by this code, though no event of theirs came. */
  usersToTry(code: string): readonly (readonly [userId: string, own: OwnFault])[] {
    const users = [...this.#users].flatMap(([userId, { own, triedBy }]) =>
      own === null || triedBy === code ? [] : ([[userId, own]] as const),
    );
    return users.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Whose a stream is that is set aside. */
  usersOf(stream: string): readonly string[] {
    return this.#of(stream).users;
  }

  /** Sets a stream aside, from `event` on. */
  add(
    event: EventEnvelope | UnreadableEvent,
    cause: unknown,
    { since, code }: { readonly since: number; readonly code: string },
    changes: SetAsideChanges,
  ): void {
    const { stream, revision, position } = whereOf(event);
    this.#put(
      {
        stream,
        revision,
        ...failedEvent(event, cause),
        since,
        waiting: 1,
        lastPosition: position,
        subject: subjectOf(event),
        claims: claimsOf(event),
        users: [],
        triedBy: code,
        lateAt: null,
      },
      changes,
    );
  }

  /** One more event of a stream that is set aside. */
  wait(event: EventEnvelope | UnreadableEvent, changes: SetAsideChanges): void {
    const known = this.#of(event.stream);
    const more = subjectOf(event);
    this.#put(
      {
        ...known,
        waiting: known.waiting + 1,
        lastPosition: whereOf(event).position,
        subject: {
          subscription: known.subject.subscription ?? more.subscription,
          customer: known.subject.customer ?? more.customer,
          session: known.subject.session ?? more.session,
          payment: known.subject.payment ?? more.payment,
        },
        claims: sorted([...known.claims, ...claimsOf(event)]),
      },
      changes,
    );
  }

  /** The first event of a stream was folded on, or skipped: what waits begins with `next`, or there is nothing any more. */
  advance(
    stream: string,
    next: { readonly revision: number; readonly position: Position } | null,
    { lateAt, now }: { readonly lateAt: Position; readonly now: number },
    changes: SetAsideChanges,
  ): void {
    const known = this.#of(stream);
    if (next === null) {
      this.#streams.delete(stream);
      changes.streams.set(stream, null);
    } else this.#put({ ...known, ...next, waiting: known.waiting - 1, lateAt }, changes);
    for (const userId of known.users) this.#remark(userId, now, changes);
  }

  /** The first event of a stream that waits failed again. */
  failAgain(
    event: EventEnvelope | UnreadableEvent,
    cause: unknown,
    code: string,
    changes: SetAsideChanges,
  ): void {
    const { revision } = whereOf(event);
    this.#put({ ...this.#of(event.stream), ...failedEvent(event, cause), revision, triedBy: code }, changes);
  }

  /** Marks a user who cannot be judged or written under an event. */
  blame(
    userId: string,
    event: Named,
    why: { readonly cause: unknown; readonly stage: OwnFault['stage']; readonly since: number },
    code: string,
    changes: SetAsideChanges,
  ): void {
    const { cause, stage, since } = why;
    const own = this.ownFault(userId) ?? { ...failedEvent(event, cause), stage, since };
    this.#setUser(userId, { mark: null, own, triedBy: code }, since, changes);
  }

  /** A user was judged again by this code, and still cannot be. */
  tried(userId: string, code: string, changes: SetAsideChanges): void {
    const known = this.#users.get(userId);
    if (known !== undefined) this.#setUser(userId, { ...known, triedBy: code }, 0, changes);
  }

  /** A user could be judged again, at the fold's time `now` (Unix ms). */
  heal(userId: string, now: number, changes: SetAsideChanges): void {
    if (this.ownFault(userId) === null) return;
    this.#setUser(userId, { mark: null, own: null, triedBy: null }, now, changes);
  }

  /** Sees whose the streams are at the fold's time `now` (Unix ms), and marks and unmarks users by it. */
  async follow(
    workingSet: WorkingSet,
    loader: FactsLoader,
    now: number,
    changes: SetAsideChanges,
  ): Promise<void> {
    for (const known of this.#streams.values()) {
      if (this.#lost.has(known.stream)) continue;
      if (!isInMemory(known.subject, workingSet)) {
        try {
          await loadSubject(known.subject, loader, workingSet);
        } catch (error) {
          if (isTransient(error)) throw error;
          this.#lost.add(known.stream);
          continue;
        }
      }
      const users = usersOfSubject(known.subject, known.claims, workingSet);
      if (users.join('\n') === known.users.join('\n')) continue;
      this.#put({ ...known, users }, changes);
      for (const userId of new Set([...known.users, ...users])) this.#remark(userId, now, changes);
    }
  }

  #of(stream: string): AsideStream {
    const known = this.#streams.get(stream);
    if (known === undefined) throw new Error('a stream is set aside and is not there');
    return known;
  }

  #put(stream: AsideStream, changes: SetAsideChanges): void {
    this.#streams.set(stream.stream, stream);
    changes.streams.set(stream.stream, stream);
  }

  #remark(userId: string, now: number, changes: SetAsideChanges): void {
    const known = this.#users.get(userId);
    this.#setUser(userId, known ?? { mark: null, own: null, triedBy: null }, now, changes);
  }

  #setUser(userId: string, { own, triedBy }: FaultedUser, at: number, changes: SetAsideChanges): void {
    const causes: Mark[] = this.streams.filter(({ users }) => users.includes(userId));
    if (own !== null) causes.push(own);
    causes.sort((a, b) => comparePositions(a.position, b.position));
    const [first] = causes;
    const mark = first === undefined ? null : { position: first.position, since: first.since };
    const user = { mark, own, triedBy };
    const before = this.#users.get(userId)?.mark ?? null;
    if (before?.position !== mark?.position || before?.since !== mark?.since) {
      changes.marks.push({ userId, mark, at });
    }
    if (mark === null) this.#users.delete(userId);
    else this.#users.set(userId, user);
    changes.users.set(userId, user);
  }
}
