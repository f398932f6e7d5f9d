import {
  type AccessBefore,
  type AccessState,
  accessBefore,
  accessKey,
  accessStateOf,
  canFollow,
} from './access-fields.js';
import type { Observation } from './facts.js';

/** Observations of one second put in order; `tied` says that more than one order with different access was possible. */
export interface SecondInOrder {
  readonly ordered: readonly Observation[];
  readonly tied: boolean;
}

interface Link {
  readonly observation: Observation;
  readonly stripeType: string;
  readonly state: AccessState;
  readonly named: AccessBefore;
  readonly end: string;
}

/** Larger groups, and searches that branch more than this, are put in order by event id: Stripe sends no such second. */
const MAX_GROUP = 30;
const MAX_SEARCH_STATES = 50_000;

/**
 * Puts observations of one second in an order in which each can follow the one before it (DESIGN 5.3).
 * `observations` are sorted by event id and hold each twin once; `before` is the state they start from.
 * Where no such order exists, or several that end in different access, the order is by event id.
 */
export function orderWithinSecond(
  observations: readonly Observation[],
  before: AccessState | null,
): SecondInOrder {
  if (observations.length < 2) return { ordered: observations, tied: false };
  const links = observations.map(toLink);
  const starts = startsOf(links, before);
  const found = search(links, starts);
  if (found === null) return { ordered: observations, tied: true };
  return { ordered: found.map((link) => link.observation), tied: false };
}

function toLink(observation: Observation): Link {
  const state = accessStateOf(observation);
  return {
    observation,
    stripeType: observation.stripeType,
    state,
    named: accessBefore(observation),
    end: accessKey(state),
  };
}

/** Indices that may come first: those that can follow `before`, or all when there is none or one was lost. */
function startsOf(links: readonly Link[], before: AccessState | null): readonly number[] {
  const all = links.map((_, index) => index);
  if (before === null) return all;
  const following = all.filter((index) => {
    const link = links[index];
    return link !== undefined && canFollow(before, link);
  });
  return following.length > 0 ? following : all;
}

/** The smallest order by event ids if all orders end in the same access, else `null`. */
function search(links: readonly Link[], starts: readonly number[]): readonly Link[] | null {
  if (links.length > MAX_GROUP) return null;
  const next = links.map((from) => links.flatMap((to, index) => (canFollow(from.state, to) ? [index] : [])));
  const ends = new Map<string, ReadonlySet<string>>();
  const all = 2 ** links.length - 1;

  /** Ends that can be reached from `last` when the links of `used` are spent; `null` when the search is too large. */
  const endsFrom = (used: number, last: number): ReadonlySet<string> | null => {
    const link = links[last];
    if (link === undefined) return new Set();
    if (used === all) return new Set([link.end]);
    const key = `${used}:${last}`;
    const known = ends.get(key);
    if (known !== undefined) return known;
    if (ends.size >= MAX_SEARCH_STATES) return null;
    const reached = new Set<string>();
    for (const index of next[last] ?? []) {
      if (used & (1 << index)) continue;
      const further = endsFrom(used | (1 << index), index);
      if (further === null) return null;
      for (const end of further) reached.add(end);
    }
    ends.set(key, reached);
    return reached;
  };

  const possible = new Set<string>();
  for (const start of starts) {
    const reached = endsFrom(1 << start, start);
    if (reached === null) return null;
    for (const end of reached) possible.add(end);
  }
  if (possible.size !== 1) return null;
  return smallest(links, starts, next, endsFrom);
}

/** Walks along the smallest event id from which every link can still be used. */
function smallest(
  links: readonly Link[],
  starts: readonly number[],
  next: readonly (readonly number[])[],
  endsFrom: (used: number, last: number) => ReadonlySet<string> | null,
): readonly Link[] {
  const path: Link[] = [];
  let used = 0;
  let choices: readonly number[] = starts;
  while (path.length < links.length) {
    const index = choices.find(
      (choice) => !(used & (1 << choice)) && (endsFrom(used | (1 << choice), choice)?.size ?? 0) > 0,
    );
    const link = index === undefined ? undefined : links[index];
    if (index === undefined || link === undefined) throw new Error('a possible order was lost on the way');
    path.push(link);
    used |= 1 << index;
    choices = next[index] ?? [];
  }
  return path;
}
