import { type AccessSight, type AccessState, accessKey, accessSightOf, canFollow } from './access-fields.js';
import type { Observation } from './facts.js';

/** Observations of one second put in order; `tied` says that the order is a guess that bears on access. */
export interface SecondInOrder {
  readonly ordered: readonly Observation[];
  readonly tied: boolean;
}

interface Link extends AccessSight {
  readonly observation: Observation;
}

/**
 * More observations that take part are put in order by event id. So many have 9 · 2^8 states with 9,216 steps between
 * them, fewer than the 20,000 that DESIGN 5.3 allows.
 */
const MAX_TAKING_PART = 9;

/**
 * Puts observations of one second in an order in which each can follow the one before it (DESIGN 5.3).
 * `observations` are sorted by event id and hold each twin once; `before` is the state they start from.
 * Those that change nothing of access take no part: each follows the one it equals, `before` included; one that equals
 * none has nothing to follow and takes part. Where no such order exists, or several that end in different access, those
 * that take part are put in order by event id.
 */
export function orderWithinSecond(
  observations: readonly Observation[],
  before: AccessState | null,
): SecondInOrder {
  if (observations.length < 2) return { ordered: observations, tied: false };
  const links = observations.map((observation) => ({ observation, ...accessSightOf(observation) }));
  const start = before === null ? null : accessKey(before);
  const places = new Set(links.filter((link) => link.changes).map((link) => link.key));
  if (start !== null) places.add(start);
  const takingPart = links.filter((link) => link.changes || !places.has(link.key));
  const chain = chained(takingPart, before);
  const ordered = withFollowers(
    chain ?? takingPart,
    links.filter((link) => !link.changes && places.has(link.key)),
    start,
  );
  const tied = chain === null && takingPart.some((link) => link.key !== takingPart[0]?.key);
  return { ordered: ordered.map((link) => link.observation), tied };
}

/** The smallest order by event ids in which each can follow the one before it, if all such orders end alike. */
function chained(links: readonly Link[], before: AccessState | null): readonly Link[] | null {
  if (links.length < 2) return links;
  if (links.length > MAX_TAKING_PART) return null;
  const starts = startsOf(links, before);
  const next = links.map((from) => links.flatMap((to, index) => (canFollow(from.state, to) ? [index] : [])));
  const endsFrom = endsOf(links, next);
  const possible = starts.reduce((ends, start) => ends | endsFrom(1 << start, start), 0);
  // No bit is no order, more than one bit is more than one end.
  if (possible === 0 || (possible & (possible - 1)) !== 0) return null;
  return smallest(links, starts, next, endsFrom);
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

/** Tells the ends that can be reached from `last` when the links of `used` are spent, each end a bit. */
type EndsFrom = (used: number, last: number) => number;

function endsOf(links: readonly Link[], next: readonly (readonly number[])[]): EndsFrom {
  const all = 2 ** links.length - 1;
  const keys = links.map((link) => link.key);
  const endBits = keys.map((key) => 1 << keys.indexOf(key));
  const known = new Map<number, number>();
  const endsFrom: EndsFrom = (used, last) => {
    if (used === all) return endBits[last] ?? 0;
    const state = used * links.length + last;
    const told = known.get(state);
    if (told !== undefined) return told;
    let reached = 0;
    for (const index of next[last] ?? []) {
      if ((used & (1 << index)) === 0) reached |= endsFrom(used | (1 << index), index);
    }
    known.set(state, reached);
    return reached;
  };
  return endsFrom;
}

/** Walks along the smallest event id from which every link can still be used. */
function smallest(
  links: readonly Link[],
  starts: readonly number[],
  next: readonly (readonly number[])[],
  endsFrom: EndsFrom,
): readonly Link[] {
  const path: Link[] = [];
  let used = 0;
  let choices: readonly number[] = starts;
  while (path.length < links.length) {
    const index = choices.find(
      (choice) => (used & (1 << choice)) === 0 && endsFrom(used | (1 << choice), choice) !== 0,
    );
    const link = index === undefined ? undefined : links[index];
    if (index === undefined || link === undefined) throw new Error('a possible order was lost on the way');
    path.push(link);
    used |= 1 << index;
    choices = next[index] ?? [];
  }
  return path;
}

/**
 * The chain with those that take no part: each after one that it equals (`start`, the access before the second, among
 * them), where the event ids come out smallest. `followers` are sorted by event id.
 */
function withFollowers(
  chain: readonly Link[],
  followers: readonly Link[],
  start: string | null,
): readonly Link[] {
  if (followers.length === 0) return chain;
  const waiting = new Map<string, Link[]>();
  for (const link of followers) {
    const same = waiting.get(link.key);
    if (same === undefined) waiting.set(link.key, [link]);
    else same.push(link);
  }
  const lastPlace = new Map(chain.map(({ key }, index) => [key, index]));
  const ordered: Link[] = [];
  const follow = (key: string, index: number): void => {
    const here = waiting.get(key);
    const next = chain[index + 1];
    const mayWait = (lastPlace.get(key) ?? -1) > index;
    const upTo =
      next === undefined || !mayWait
        ? -1
        : (here?.findIndex((link) => link.observation.eventId > next.observation.eventId) ?? -1);
    ordered.push(...(here?.splice(0, upTo < 0 ? here.length : upTo) ?? []));
  };
  if (start !== null) follow(start, -1);
  for (const [index, link] of chain.entries()) {
    ordered.push(link);
    follow(link.key, index);
  }
  return ordered;
}
