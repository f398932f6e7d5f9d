import { setTimeout as pause } from 'node:timers/promises';
import type { EventStream } from '../../http/event-stream.js';
import { isOver, type RebuildJob } from '../../projections/rebuild/rebuild-jobs.js';
import type { RebuildRuntime } from '../../projections/rebuild/rebuild-runtime.js';

/** How often the database is looked at for a watcher, in milliseconds: no more events go out than that. */
const LOOK_MS = 250;

/**
 * Sends an event `progress` at each change of a rebuild, whichever instance makes it, and `done` at its end; rates are of
 * the time that was watched. Comes back at the end, or when nobody listens any more.
 */
export async function watchRebuild(
  rebuilds: Pick<RebuildRuntime, 'rebuildOf'>,
  generation: number,
  stream: Pick<EventStream, 'signal' | 'hasRoom' | 'send'>,
  lookMs = LOOK_MS,
): Promise<void> {
  let told = '';
  let first: Look | null = null;
  while (!stream.signal.aborted) {
    const seen = await rebuilds.rebuildOf(generation);
    if (seen === null || stream.signal.aborted) return;
    if (isOver(seen)) return stream.send('done', seen);
    // Rates change by time alone: they are no news of their own.
    const news = JSON.stringify({ ...seen, eventsPerSecond: null, secondsLeft: null });
    const { events } = seen;
    if (news !== told && stream.hasRoom) {
      told = news;
      stream.send('progress', first === null ? seen : paced(seen, first));
    }
    if (events !== null) first ??= { events, at: performance.now() };
    await pause(lookMs, undefined, { signal: stream.signal }).catch(() => undefined);
  }
}

/** How many events a build had at a time, by the clock of the process. */
interface Look {
  readonly events: number;
  readonly at: number;
}

/** The same with the pace since a look; what is left is so many events, whatever their pace. */
function paced(seen: RebuildJob, first: Look): RebuildJob {
  const { events, eventsPerSecond, secondsLeft } = seen;
  if (events === null || eventsPerSecond === null) return seen;
  const pace = (events - first.events) / ((performance.now() - first.at) / 1_000);
  const left = secondsLeft === null || pace <= 0 ? null : (secondsLeft * eventsPerSecond) / pace;
  return { ...seen, eventsPerSecond: pace, secondsLeft: left };
}
