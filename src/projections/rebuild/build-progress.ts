import type { Position } from '../../events/stored-event.js';

/** How far a build came. Rates are of the time that it was watched; `secondsLeft` is null while they are unknown. */
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
 * A build as far along the log as its events say. Within a stretch that is folded group by group `handled` stands still and `events` go
 * on, with as many positions to each of them, about, as what is read has to its own.
 */
export function reckoned(point: BuildPoint, live: BuildPoint): BuildPoint {
  const [end, at] = [Number(live.handled ?? '0'), Number(point.handled ?? '0')];
  const positionsOfAnEvent = live.events === 0 ? 1 : end / live.events;
  const reckonedAt = Math.min(end, Math.floor(point.events * positionsOfAnEvent));
  return reckonedAt > at ? { ...point, handled: String(reckonedAt) } : point;
}

/** What a build has before its first event. */
export const BUILD_BEGIN: BuildPoint = { handled: null, events: 0 };

/** Events folded in a second, and the seconds that are left at that pace, from two looks that lie `spentMs` apart. */
export function paceOf(
  first: BuildPoint,
  now: BuildPoint,
  live: Position | null,
  spentMs: number,
): Pick<BuildProgress, 'eventsPerSecond' | 'secondsLeft'> {
  const seconds = spentMs / 1000;
  const done = reached(now) - reached(first);
  return {
    eventsPerSecond: seconds > 0 ? (now.events - first.events) / seconds : 0,
    secondsLeft: done > 0 ? (Math.max(0, Number(live ?? '0') - reached(now)) / done) * seconds : null,
  };
}

/** How far along the log a fold from its beginning is, as a position. Nowhere are there more events than positions. */
export function reached({ handled, events }: BuildPoint): number {
  return Math.max(Number(handled ?? '0'), events);
}

/** The part of the log, up to an event, that a fold from its beginning has folded, 0 to 1; `null` of a log without events. */
export function partOf(point: BuildPoint, until: Position | null): number | null {
  if (until === null) return null;
  return Math.min(1, reached(point) / Number(until));
}
