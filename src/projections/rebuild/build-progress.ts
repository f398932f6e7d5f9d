import type { Position } from '../../events/stored-event.js';

/** How far a build came, `handled` as `reckoned` says. Rates are of the time that it was watched; `secondsLeft` is null while they are unknown. */
export interface BuildProgress {
  readonly generation: number;
  readonly handled: Position | null;
  readonly live: Position | null;
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly secondsLeft: number | null;
}

/** Where a build is, or was. */
export interface BuildPoint {
  readonly handled: Position | null;
  readonly events: number;
}

/**
 * A build as far along the log as its events say, with as many positions to each of them, about, as what is read has to its own.
 * Its own position says less: within a stretch that is folded group by group it stands still, and in EventStoreDB the first events may
 * come behind many that are somebody else's.
 */
export function reckoned(point: BuildPoint, live: BuildPoint): BuildPoint {
  const [end, at] = [placeOf(live.handled), placeOf(point.handled)];
  if (at >= end || live.events === 0 || point.events === 0) return point;
  const reckonedAt = Math.min(end, Math.floor((point.events * end) / live.events));
  return { ...point, handled: String(reckonedAt) };
}

/** What a build has before its first event. */
export const BUILD_BEGIN: BuildPoint = { handled: null, events: 0 };

/** Events folded in a second, and the seconds that are left at that pace, from two reckoned points that lie `spentMs` apart. */
export function paceOf(
  first: BuildPoint,
  now: BuildPoint,
  live: Position | null,
  spentMs: number,
): Pick<BuildProgress, 'eventsPerSecond' | 'secondsLeft'> {
  const seconds = spentMs / 1000;
  const at = placeOf(now.handled);
  const done = at - placeOf(first.handled);
  return {
    eventsPerSecond: seconds > 0 ? (now.events - first.events) / seconds : 0,
    secondsLeft: done > 0 ? (Math.max(0, placeOf(live) - at) / done) * seconds : null,
  };
}

/** A position as a number; the beginning of the log is 0. */
export function placeOf(position: Position | null): number {
  return Number(position ?? '0');
}

/** The part of the log, up to an event, that lies before a position, 0 to 1; `null` of a log without events. */
export function partOf(handled: Position | null, until: Position | null): number | null {
  if (until === null) return null;
  return Math.min(1, placeOf(handled) / placeOf(until));
}
