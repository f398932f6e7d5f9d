import { z } from 'zod';
import { isTransient } from '../../database/transient.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import { isUserId } from '../../events/user-id.js';
import { codeOf, messageOf } from '../engine/projector.js';
import { UnreadableEvent } from '../engine/unreadable-event.js';
import type { FactsLoader, Queries } from './facts-loader.js';
import type { WorkingSet } from './working-set.js';

/** What a stream is about, as far as its events tell: whose it is follows from it. */
const subjectSchema = z.strictObject({
  subscription: z.string().nullable(),
  customer: z.string().nullable(),
  session: z.string().nullable(),
});
type Subject = z.infer<typeof subjectSchema>;

/** An event by what tells it from others. */
interface Named {
  readonly id: string;
  readonly type: string;
  readonly position: Position;
}

/** An event that failed: where it is, and why. */
export interface FailedEvent {
  readonly position: Position;
  readonly eventId: string;
  readonly eventType: string;
  readonly code: string;
  readonly message: string;
}

/**
 * A stream whose events are set aside from `position` and `revision` on, since the instant `since` (Unix ms); `waiting` counts
 * them. `claims` are users whom these events name, `users` all whose it is. `triedBy`: the code that failed; `null` when
 * it is to be tried again. `lateAt`: the last event folded when some of them were folded on.
 */
export interface AsideStream extends FailedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly since: number;
  readonly waiting: number;
  readonly lastPosition: Position;
  readonly subject: Subject;
  readonly claims: readonly string[];
  readonly users: readonly string[];
  readonly triedBy: string | null;
  readonly lateAt: Position | null;
}

/** What a user is marked with in every answer: the first event that is missing, and since when (Unix ms). */
export interface Mark {
  readonly position: Position;
  readonly since: number;
}

const ownFaultSchema = z.strictObject({
  position: z.string(),
  since: z.number(),
  eventId: z.string(),
  eventType: z.string(),
  code: z.string(),
  message: z.string(),
  stage: z.enum(['judge', 'write']),
});
/** A user who cannot be judged or written, whatever is set aside: since the event that said so first. */
export type OwnFault = z.infer<typeof ownFaultSchema>;

/** A user's row: `mark` and `own` are `null` for one that is kept for `lateAt` alone. */
export interface FaultedUser {
  readonly mark: Mark | null;
  readonly own: OwnFault | null;
  readonly triedBy: string | null;
}

/** What a batch changes: streams (`null`: folded on to their end), users, and who was touched by what was folded on late. */
export interface SetAsideChanges {
  readonly streams: Map<string, AsideStream | null>;
  readonly users: Map<string, FaultedUser>;
  readonly late: Map<string, Position>;
}

export function noSetAsideChanges(): SetAsideChanges {
  return { streams: new Map(), users: new Map(), late: new Map() };
}

const texts = z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text)));
const streamRow = z.object({
  stream: z.string(),
  position: z.string(),
  revision: z.number(),
  event_id: z.string(),
  event_type: z.string(),
  code: z.string(),
  message: z.string(),
  since: z.date(),
  waiting: z.number(),
  last_position: z.string(),
  subject: z.string().transform((text) => subjectSchema.parse(JSON.parse(text))),
  claims: texts,
  users: texts,
  tried_by: z.string().nullable(),
  late_at: z.string().nullable(),
});
const userRow = z.object({
  user_id: z.string(),
  position: z.string(),
  since: z.date(),
  own: z
    .string()
    .nullable()
    .transform((text) => (text === null ? null : ownFaultSchema.parse(JSON.parse(text)))),
  tried_by: z.string().nullable(),
});

/** Longest message kept of a failure. */
const MESSAGE_LENGTH = 500;

/** Streams that are set aside and users who are marked, of one generation, in memory; loaded whole, because they are few. */
export class SetAsides {
  readonly #streams = new Map<string, AsideStream>();
  readonly #users = new Map<string, FaultedUser>();
  /** Streams whose subject cannot be loaded: whose they are stays as it was known. */
  readonly #lost = new Set<string>();
  #isLoaded = false;

  get streams(): readonly AsideStream[] {
    return [...this.#streams.values()];
  }

  get counts(): { readonly streams: number; readonly users: number } {
    return { streams: this.#streams.size, users: this.#users.size };
  }

  async load(queries: Queries, generation: number): Promise<void> {
    if (this.#isLoaded) return;
    const [streams, users] = await Promise.all([
      queries.query(
        `select stream, position::text, revision, event_id, event_type, code, message, since, waiting,
           last_position::text, subject, claims, users, tried_by, late_at::text
         from tenure.set_aside_stream where generation = $1`,
        [generation],
      ),
      queries.query(
        `select user_id, position::text, since, own, tried_by from tenure.faulted_user
         where generation = $1 and position is not null`,
        [generation],
      ),
    ]);
    for (const row of z.array(streamRow).parse(streams.rows)) {
      const { event_id: eventId, event_type: eventType, last_position: lastPosition, ...rest } = row;
      const { tried_by: triedBy, late_at: lateAt, since, ...same } = rest;
      const times = { since: since.getTime(), lastPosition, triedBy, lateAt };
      this.#streams.set(row.stream, { ...same, ...times, eventId, eventType });
    }
    for (const { user_id: userId, position, since, own, tried_by: triedBy } of z
      .array(userRow)
      .parse(users.rows)) {
      this.#users.set(userId, { mark: { position, since: since.getTime() }, own, triedBy });
    }
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
    lateAt: Position,
    changes: SetAsideChanges,
  ): void {
    const known = this.#of(stream);
    if (next === null) {
      this.#streams.delete(stream);
      changes.streams.set(stream, null);
    } else this.#put({ ...known, ...next, waiting: known.waiting - 1, lateAt }, changes);
    for (const userId of known.users) this.#remark(userId, changes);
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
    this.#setUser(userId, { mark: null, own, triedBy: code }, changes);
  }

  /** A user was judged again by this code, and still cannot be. */
  tried(userId: string, code: string, changes: SetAsideChanges): void {
    const known = this.#users.get(userId);
    if (known !== undefined) this.#setUser(userId, { ...known, triedBy: code }, changes);
  }

  /** A user could be judged again. */
  heal(userId: string, changes: SetAsideChanges): void {
    if (this.ownFault(userId) === null) return;
    this.#setUser(userId, { mark: null, own: null, triedBy: null }, changes);
  }

  /** Sees whose the streams are now, and marks and unmarks users by it. */
  async follow(workingSet: WorkingSet, loader: FactsLoader, changes: SetAsideChanges): Promise<void> {
    for (const known of this.#streams.values()) {
      if (this.#lost.has(known.stream)) continue;
      if (!isInMemory(known.subject, workingSet)) {
        try {
          await loadSubject(known.subject, loader);
        } catch (error) {
          if (isTransient(error)) throw error;
          this.#lost.add(known.stream);
          continue;
        }
      }
      const users = usersOf(known, workingSet);
      if (users.join('\n') === known.users.join('\n')) continue;
      this.#put({ ...known, users }, changes);
      for (const userId of new Set([...known.users, ...users])) this.#remark(userId, changes);
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

  #remark(userId: string, changes: SetAsideChanges): void {
    const known = this.#users.get(userId);
    this.#setUser(userId, known ?? { mark: null, own: null, triedBy: null }, changes);
  }

  #setUser(userId: string, { own, triedBy }: FaultedUser, changes: SetAsideChanges): void {
    const causes: Mark[] = this.streams.filter(({ users }) => users.includes(userId));
    if (own !== null) causes.push(own);
    causes.sort((a, b) => comparePositions(a.position, b.position));
    const [first] = causes;
    const mark = first === undefined ? null : { position: first.position, since: first.since };
    const user = { mark, own, triedBy };
    if (mark === null) this.#users.delete(userId);
    else this.#users.set(userId, user);
    changes.users.set(userId, user);
  }
}

/** Where an event stands in the log. */
export function whereOf(event: EventEnvelope | UnreadableEvent): {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  readonly id: string;
  readonly type: string;
} {
  return event instanceof UnreadableEvent ? event.stored : event;
}

function failedEvent(event: UnreadableEvent | Named, cause: unknown): FailedEvent {
  const { position, id, type } = event instanceof UnreadableEvent ? event.stored : event;
  return {
    position,
    eventId: id,
    eventType: keepable(type),
    code: keepable(codeOf(cause)),
    message: keepable(messageOf(cause)),
  };
}

/** A text that a column takes, whatever was thrown. */
function keepable(text: string): string {
  return text.slice(0, MESSAGE_LENGTH).replaceAll('\0', '').toWellFormed();
}

/** What an event is about, read from its data by name: it may be one that this code cannot read otherwise. */
function subjectOf(event: EventEnvelope | UnreadableEvent): Subject {
  const data = dataOf(event);
  const id = (name: string): string | null => {
    const value = data[name];
    return typeof value === 'string' && value !== '' && !value.includes('\0') ? value : null;
  };
  return { subscription: id('subscription'), customer: id('customer'), session: id('session') };
}

/** Users whom an event names. */
function claimsOf(event: EventEnvelope | UnreadableEvent): readonly string[] {
  const { userId, metadataUserId, clientReferenceId } = dataOf(event);
  return sorted([userId, metadataUserId, clientReferenceId].filter(isUserId).slice(0, 1));
}

function dataOf(event: EventEnvelope | UnreadableEvent): Readonly<Record<string, unknown>> {
  if (!(event instanceof UnreadableEvent)) return { ...event.data };
  try {
    return z.record(z.string(), z.unknown()).catch({}).parse(JSON.parse(event.stored.data));
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function isInMemory({ subscription, customer, session }: Subject, workingSet: WorkingSet): boolean {
  return (
    (session === null || workingSet.checkouts.has(session)) &&
    (subscription === null || workingSet.subscriptions.has(subscription)) &&
    (customer === null || workingSet.wholeCustomers.has(customer))
  );
}

async function loadSubject({ subscription, customer, session }: Subject, loader: FactsLoader): Promise<void> {
  if (session !== null) await loader.checkouts([session]);
  if (subscription !== null) await loader.subscriptions([subscription]);
  if (customer !== null) await loader.customers([customer]);
}

/** Owners of what a stream is about; of what nobody owns yet those of its customer; and whom its events name. */
function usersOf({ subject, claims }: AsideStream, workingSet: WorkingSet): readonly string[] {
  const users = new Set(claims);
  const owner = workingSet.subscriptions.get(subject.subscription ?? '')?.owner ?? null;
  if (owner !== null) users.add(owner);
  else if (subject.customer !== null) {
    const ofCustomer = workingSet.customers.get(subject.customer)?.word.owner ?? null;
    if (ofCustomer !== null) users.add(ofCustomer);
    if (subject.subscription === null) {
      for (const each of workingSet.subscriptionsOfCustomer(subject.customer)) {
        if (each.owner !== null) users.add(each.owner);
      }
    }
  }
  return sorted(users);
}

function sorted(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort();
}
