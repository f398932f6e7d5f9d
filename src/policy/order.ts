import { accessSightOf, accessStateOf } from './access-fields.js';
import type { FactOrigin, Observation } from './facts.js';
import {
  editedList,
  type GrowingList,
  growingOnceLong,
  isKept,
  keptThroughEdits,
  keptWith,
} from './growing-list.js';
import { orderWithinSecond, type SecondInOrder } from './tie-breaking.js';
import { countUpTo } from './time-intervals.js';

/** Observations in the order in which they happened, twins once. `tied` names the last second whose order is a guess. */
export interface OrderedObservations {
  readonly observations: readonly Observation[];
  readonly tiedAt: number | null;
}

const TERMINAL: ReadonlySet<string> = new Set(['canceled', 'incomplete_expired']);

/** Compares strings by UTF-16 code unit, the same on every machine. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares facts by Stripe second, then by event id. */
export function compareFactOrigins(a: FactOrigin, b: FactOrigin): number {
  return a.created - b.created || compareText(a.eventId, b.eventId);
}

/** Whether a status ends a subscription for good. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status);
}

/**
 * Orders the observations of one subscription (DESIGN 5.3): by `created`; within a second what was retrieved first,
 * then the `created` event, `deleted` last, twins once, and the rest so that each can follow the one before it.
 * A function of the set: neither the order of the list nor repeats in it matter. Of a growing list the order is kept and
 * extended.
 */
export function orderObservations(observations: readonly Observation[]): OrderedObservations {
  // Most lists are short, and in order already: an observation a second, each later than the one before.
  return isKept(observations) || !isInOrder(observations)
    ? timelineOf(observations)
    : { observations: growingOnceLong([...observations]), tiedAt: null };
}

function isInOrder(observations: readonly Observation[]): boolean {
  let newest = Number.NEGATIVE_INFINITY;
  for (const { created } of observations) {
    if (!(created > newest)) return false;
    newest = created;
  }
  return true;
}

/** The newest of observations, oldest first, that is not after a second. */
export function newestNotAfter(ordered: readonly Observation[], second: number): Observation | null {
  return ordered[countUpTo(ordered, second, secondOf) - 1] ?? null;
}

function secondOf({ created }: Observation): number {
  return created;
}

/** The observation whose status a subscription has: the newest one, unless a terminal status was ever seen. */
export function statusObservation(ordered: readonly Observation[]): Observation | null {
  return newestTerminal(ordered).observation ?? ordered.at(-1) ?? null;
}

/** The status of a subscription, `null` while it was never seen. */
export function statusOf(ordered: readonly Observation[]): string | null {
  return statusObservation(ordered)?.data.status ?? null;
}

const newestTerminal = keptThroughEdits<Observation, { readonly observation: Observation | null }>(
  (ordered) => ({ observation: terminalOf(ordered) }),
  ({ observation }, added) => ({ observation: terminalOf(added) ?? observation }),
  (newest, { removed, added }) => (terminalOf([...removed, ...added]) === null ? newest : null),
);

function terminalOf(ordered: readonly Observation[]): Observation | null {
  return ordered.findLast(({ data }) => isTerminal(data.status)) ?? null;
}

/**
 * What was seen in one second: all of it by event id, another list whenever there is more, and which part of the whole order is
 * its.
 */
interface Second {
  readonly second: number;
  told: readonly Observation[];
  start: number;
  length: number;
}

/**
 * An order that is kept and extended: an observation of the newest second or a later one costs what its second holds, a
 * late one orders its own second anew, and those after it as long as what they follow has changed.
 */
export class Timeline implements OrderedObservations {
  readonly #ids = new Set<string>();
  readonly #seconds: Second[] = [];
  /** Grows while the order is only extended; a change within it makes another list. */
  #ordered: GrowingList<Observation> = [];
  readonly #tied = new Set<number>();

  /** The order of a set of observations. */
  static of(observations: readonly Observation[]): Timeline {
    const timeline = new Timeline();
    const byId = new Map(observations.map((observation) => [observation.eventId, observation]));
    let told: Observation[] = [];
    for (const observation of [...byId.values()].sort(compareFactOrigins)) {
      timeline.#ids.add(observation.eventId);
      const { created } = observation;
      if (timeline.#seconds.at(-1)?.second === created) told.push(observation);
      else {
        told = [observation];
        timeline.#seconds.push({ second: created, told, start: 0, length: 0 });
      }
    }
    for (const second of timeline.#seconds) timeline.#order(second, timeline.#ordered.length);
    return timeline;
  }

  get observations(): readonly Observation[] {
    return growingOnceLong(this.#ordered);
  }

  get tiedAt(): number | null {
    return this.#tied.size === 0 ? null : Math.max(...this.#tied);
  }

  /** Whether an observation is in it, twins that count no further included. */
  has(eventId: string): boolean {
    return this.#ids.has(eventId);
  }

  /**
   * Adds an observation unless it is there; tells from which index on the order may be another, `null` when nothing
   * changed.
   */
  add(observation: Observation): number | null {
    if (this.#ids.has(observation.eventId)) return null;
    this.#ids.add(observation.eventId);
    const at = this.#indexOf(observation.created);
    const own = this.#seconds[at];
    if (own?.second === observation.created) {
      const place = own.told.findIndex(({ eventId }) => eventId > observation.eventId);
      own.told = own.told.toSpliced(place < 0 ? own.told.length : place, 0, observation);
    } else {
      const start = own?.start ?? this.#ordered.length;
      const { created: second } = observation;
      this.#seconds.splice(at, 0, { second, told: [observation], start, length: 0 });
    }
    return this.#orderFrom(at);
  }

  /** Index of the first second that is not before `second`. */
  #indexOf(second: number): number {
    let [low, high] = [0, this.#seconds.length];
    // What comes is mostly the newest.
    if ((this.#seconds.at(-1)?.second ?? Number.NEGATIVE_INFINITY) < second) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seconds[middle]?.second ?? 0) < second) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Orders the second at an index anew, and those after it while what they follow has changed. */
  #orderFrom(at: number): number | null {
    const changedFrom = this.#seconds[at]?.start ?? null;
    let moved = 0;
    let isOther = true;
    for (const second of this.#seconds.slice(at)) {
      if (isOther) {
        const before = {
          length: second.length,
          last: this.#ordered[second.start + moved + second.length - 1],
        };
        this.#order(second, second.start + moved);
        moved += second.length - before.length;
        isOther = before.length === 0 || before.last !== this.#ordered[second.start + second.length - 1];
      } else if (moved !== 0) second.start += moved;
      else break;
    }
    return changedFrom;
  }

  /** Orders a second anew, at its place in the order. */
  #order(second: Second, start: number): void {
    const { ordered, tied } = orderSecond(second.told, this.#ordered[start - 1]);
    const old = this.#ordered.slice(start, start + second.length);
    if (
      old.every((observation, index) => observation === ordered[index]) &&
      start + old.length === this.#ordered.length
    ) {
      this.#ordered.push(...ordered.slice(old.length));
    } else if (
      old.length !== ordered.length ||
      old.some((observation, index) => observation !== ordered[index])
    ) {
      this.#ordered = editedList(this.#ordered, start, second.length, ordered);
    }
    second.start = start;
    second.length = ordered.length;
    if (tied) this.#tied.add(second.second);
    else this.#tied.delete(second.second);
  }
}

/** Orders one second (sorted by event id) after what came before it; `tied` when its order is a guess. */
function orderSecond(told: readonly Observation[], earlier: Observation | undefined): SecondInOrder {
  if (told.length === 1) return { ordered: told, tied: false };
  const retrieved: Observation[] = [];
  const created = new Map<string, Observation>();
  const deleted = new Map<string, Observation>();
  const rest = new Map<string, Observation>();
  for (const observation of told) {
    if (observation.type === 'SubscriptionRetrieved') retrieved.push(observation);
    else if (observation.stripeType === 'customer.subscription.created') addOnce(created, observation);
    else if (observation.stripeType === 'customer.subscription.deleted') addOnce(deleted, observation);
    else addOnce(rest, observation);
  }
  const before = [...created.values()].at(-1) ?? earlier;
  const { ordered, tied } = orderWithinSecond(
    [...rest.values()],
    before === undefined ? null : accessStateOf(before),
  );
  return { ordered: [...retrieved, ...created.values(), ...ordered, ...deleted.values()], tied };
}

/** Of two events of one change (equal access-bearing fields and equal `previous_attributes`) the first stays. */
function addOnce(twins: Map<string, Observation>, observation: Observation): void {
  const key = `${accessSightOf(observation).key}\n${observation.data.previous?.digest ?? ''}`;
  if (!twins.has(key)) twins.set(key, observation);
}

const timelineOf = keptWith<Observation, Timeline>(
  (observations) => Timeline.of(observations),
  (timeline, added) => {
    for (const observation of added) timeline.add(observation);
    return timeline;
  },
);
