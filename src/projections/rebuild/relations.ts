import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Position } from '../../events/stored-event.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import { readEvent, UnreadableEvent } from '../engine/unreadable-event.js';
import { type NamedThing, type ThingKind, thingsNamedBy } from '../entitlements/named-things.js';
import { JoinedNumbers } from './joined-numbers.js';

/** Ids of the things that have to do with some users, by kind. */
export type RelatedIds = Readonly<Record<ThingKind, readonly string[]>>;

/** Events of a page. */
const PAGE = 2_000;
/** Ids of more take more than 200 MB; that is of about 300,000 users. */
const MOST_IDS = 2_000_000;

/**
 * Which things have to do with each other, because events name them together or with a third (union–find), and which of them
 * with some users: what may count for one of these. Holds every id that the log names: 60 to 100 bytes each.
 */
export class Relations {
  readonly #numbers = new Map<string, number>();
  readonly #joined = new JoinedNumbers();
  /** Users in whose surroundings something came of which events had been left out. */
  readonly #grown = new Set<string>();

  constructor(private readonly users: ReadonlySet<string>) {
    for (const id of users) this.#numberOf(keyOf({ kind: 'user', id }));
  }

  /**
   * Those of a log, read to its end. `null` where it cannot be told what may be left out: an event cannot be read, or one was
   * skipped, so that the time of the fold differs; or it names more than `mostIds`. `onPage` is told how far it was read.
   */
  static async read(
    log: Pick<ProjectionSource, 'readAll'>,
    users: ReadonlySet<string>,
    onPage: (scanned: Position | null, events: number) => void,
    mostIds = MOST_IDS,
  ): Promise<Relations | null> {
    const relations = new Relations(users);
    let scanned: Position | null = null;
    for (let count = 0; ; ) {
      const page = await log.readAll(scanned, PAGE);
      for (const stored of page.events) {
        const event = readEvent(stored);
        if (event instanceof UnreadableEvent || event.type === 'EventSkipped') return null;
        relations.add(event);
      }
      if (relations.#numbers.size > mostIds) return null;
      count += page.events.length;
      scanned = page.scanned;
      onPage(scanned, count);
      if (page.events.length < PAGE) return relations;
    }
  }

  /** Takes what an event names as related. */
  add(event: EventEnvelope): void {
    const [first, ...others] = keysOf(event);
    if (first === undefined) return;
    const number = this.#numberOf(first);
    for (const key of others) this.#joined.join(number, this.#numberOf(key));
  }

  /**
   * As `add`, of an event that comes when events which have nothing to do with the users were left out already: of who comes to
   * have to do with such things not everything is there. Returns whether it has to do with the users.
   */
  addLate(event: EventEnvelope): boolean {
    const roots = this.#rootsOfUsers();
    const known = keysOf(event).flatMap((key) => this.#numbers.get(key) ?? []);
    const isOfUsers = new Set(known.map((number) => roots.has(this.#rootOf(number))));
    this.add(event);
    if (!isOfUsers.has(true)) return false;
    if (isOfUsers.has(false)) {
      const root = this.#rootOf(known[0] ?? 0);
      for (const id of this.users) if (this.#rootOfUser(id) === root) this.#grown.add(id);
    }
    return true;
  }

  /** Names of the streams whose events have to do with the users. */
  streams(): ReadonlySet<string> {
    const roots = this.#rootsOfUsers();
    const found = new Set<string>();
    for (const [key, number] of this.#numbers) {
      if (key.startsWith(STREAM) && roots.has(this.#rootOf(number))) found.add(key.slice(STREAM.length));
    }
    return found;
  }

  /** The users of whom everything is related that the log says of them. */
  whole(): ReadonlySet<string> {
    return new Set([...this.users].filter((id) => !this.#grown.has(id)));
  }

  /** What has to do with these users. */
  related(): RelatedIds {
    const roots = new Set([...this.whole()].map((id) => this.#rootOfUser(id)));
    const ids: Record<ThingKind, string[]> = {
      user: [],
      subscription: [],
      customer: [],
      session: [],
      payment: [],
      invoice: [],
    };
    for (const [key, number] of this.#numbers) {
      if (key.startsWith(STREAM) || !roots.has(this.#rootOf(number))) continue;
      const { kind, id } = thingOf(key);
      ids[kind].push(id);
    }
    return ids;
  }

  #rootsOfUsers(): ReadonlySet<number> {
    return new Set([...this.users].map((id) => this.#rootOfUser(id)));
  }

  #rootOfUser(id: string): number {
    return this.#rootOf(this.#numberOf(keyOf({ kind: 'user', id })));
  }

  #numberOf(key: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#joined.add();
    this.#numbers.set(key, number);
    return number;
  }

  #rootOf(number: number): number {
    return this.#joined.rootOf(number);
  }
}

/** Begins the key of a stream; no kind of a thing begins so. */
const STREAM = 'stream ';

/** The stream of an event, and what it names; nothing where it names nothing. */
function keysOf(event: EventEnvelope): readonly string[] {
  const things = thingsNamedBy(event);
  return things.length === 0 ? [] : [keyOfStream(event.stream), ...things.map(keyOf)];
}

/** What a stream is known by beside things. */
export function keyOfStream(stream: string): string {
  return `${STREAM}${stream}`;
}

/** What a thing is known by beside those of other kinds. */
export function keyOf({ kind, id }: NamedThing): string {
  return `${kind} ${id}`;
}

function thingOf(key: string): NamedThing {
  const end = key.indexOf(' ');
  return { kind: key.slice(0, end) as ThingKind, id: key.slice(end + 1) }; // as `keyOf` made it
}
