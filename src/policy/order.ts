import { accessKey, accessStateOf } from './access-fields.js';
import type { Observation, Told } from './facts.js';
import { orderWithinSecond } from './same-second.js';

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
export function compareTold(a: Told, b: Told): number {
  return a.created - b.created || compareText(a.eventId, b.eventId);
}

/** Whether a status ends a subscription for good. */
export function isTerminal(status: string): boolean {
  return TERMINAL.has(status);
}

/**
 * Orders the observations of one subscription (DESIGN 5.3): by `created`; within a second the `created` event first,
 * then what was retrieved (it loses ties), `deleted` last, twins once, and the rest so that each can follow the one
 * before it. A function of the set: neither the order of the list nor repeats in it matter.
 */
export function orderObservations(observations: readonly Observation[]): OrderedObservations {
  const sorted = distinct(observations);
  const ordered: Observation[] = [];
  let tiedAt: number | null = null;
  for (let start = 0; start < sorted.length; ) {
    const second = sorted[start]?.created;
    let end = start + 1;
    while (end < sorted.length && sorted[end]?.created === second) end += 1;
    if (end - start === 1) {
      ordered.push(...sorted.slice(start, end));
    } else {
      const tied = appendSecond(ordered, sorted.slice(start, end));
      if (tied) tiedAt = second ?? null;
    }
    start = end;
  }
  return { observations: ordered, tiedAt };
}

/** The status of a subscription: the newest one, unless a terminal status was ever seen. */
export function statusOf(ordered: readonly Observation[]): string | null {
  const terminal = ordered.findLast((observation) => isTerminal(observation.data.status));
  return (terminal ?? ordered.at(-1))?.data.status ?? null;
}

function distinct(observations: readonly Observation[]): readonly Observation[] {
  const byId = new Map(observations.map((observation) => [observation.eventId, observation]));
  return [...byId.values()].sort(compareTold);
}

/** Appends one second (sorted by event id) to what came before it; true when its order is a guess. */
function appendSecond(ordered: Observation[], second: readonly Observation[]): boolean {
  const created: Observation[] = [];
  const retrieved: Observation[] = [];
  const deleted: Observation[] = [];
  const rest = new Map<string, Observation>();
  for (const observation of second) {
    if (observation.stripeType === 'customer.subscription.created') created.push(observation);
    else if (observation.type === 'SubscriptionRetrieved') retrieved.push(observation);
    else if (observation.stripeType === 'customer.subscription.deleted') deleted.push(observation);
    else {
      const key = twinKey(observation);
      if (!rest.has(key)) rest.set(key, observation);
    }
  }
  const before = created.at(-1) ?? ordered.at(-1);
  const { ordered: middle, tied } = orderWithinSecond(
    [...rest.values()],
    before === undefined ? null : accessStateOf(before),
  );
  ordered.push(...created, ...retrieved, ...middle, ...deleted);
  return tied;
}

/** Two events of one change: equal access-bearing fields and equal `previous_attributes`. */
function twinKey(observation: Observation): string {
  return `${accessKey(accessStateOf(observation))}\n${observation.data.previous?.digest ?? ''}`;
}
