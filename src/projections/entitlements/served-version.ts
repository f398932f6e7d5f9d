import { allowsTheSame } from '../../policy/access-part.js';
import { snapshotAt, type UserRow } from './user-row.js';

/** What a row says of every moment. */
export type Timeline = Pick<UserRow, 'entitlement' | 'successors' | 'counter' | 'changedAt'>;

/** From the slowest to the fastest clock by which a row may be read now, Unix milliseconds. */
export interface Moments {
  readonly earliest: number;
  readonly latest: number;
}

/**
 * How far the clock of an instance that serves may be from the database server's (30 s are tolerated, DESIGN 8 "Time"),
 * with what passes between the look at that clock and the last answer from the row of before.
 */
const SLACK_MS = 35_000;

/** Clocks that may be served by while the database server's says `now` (Unix ms). */
export function aroundServer(now: number): Moments {
  return { earliest: now - SLACK_MS, latest: now + SLACK_MS };
}

/** Clocks that may be served by while the clock of one instance says `now` (Unix ms). */
export function aroundInstance(now: number): Moments {
  return { earliest: now - 2 * SLACK_MS, latest: now + 2 * SLACK_MS };
}

/**
 * The least offset, not below `atLeast`, with which `next` may follow `old`, which was served with `offset` (DESIGN 9): at
 * no clock does the version go back; it grows wherever what is served allows something else; and no version that may have
 * been served is served again for something else. Counters of a row grow by one at most from one moment to the next, so
 * what holds for the row just before holds for all that were served before it.
 */
export function offsetAfter(
  old: Timeline,
  offset: number,
  next: Timeline,
  { earliest, latest }: Moments,
  atLeast = Number.NEGATIVE_INFINITY,
): number {
  const moments = [earliest, ...[...old.successors, ...next.successors].map(({ at }) => at)].filter(
    (at) => at >= earliest && at <= latest,
  );
  const needed = moments.map((at) => {
    const [before, after] = [snapshotAt(old, at), snapshotAt(next, at)];
    const grows = allowsTheSame(before.entitlement, after.entitlement) ? 0 : 1;
    return before.counter + offset + grows - after.counter;
  });
  const served = [old, ...old.successors.filter(({ at }) => at <= latest)];
  const toCome = [snapshotAt(next, earliest), ...next.successors.filter(({ at }) => at > earliest)];
  const isTaken = (candidate: number): boolean =>
    served.some((before) =>
      toCome.some(
        (after) =>
          before.counter + offset === after.counter + candidate &&
          !allowsTheSame(before.entitlement, after.entitlement),
      ),
    );
  let least = Math.max(atLeast, ...needed);
  while (isTaken(least)) least += 1;
  return least;
}
