import { setTimeout as pause } from 'node:timers/promises';
import type { EventStream } from '../../http/event-stream.js';
import { type BuildPoint, paceOf } from '../../projections/rebuild/build-progress.js';
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
  let first: (BuildPoint & { readonly at: number }) | null = null;
  while (!stream.signal.aborted) {
    const seen = await rebuilds.rebuildOf(generation);
    if (seen === null || stream.signal.aborted) return;
    if (isOver(seen)) return stream.send('done', seen);
    // Rates change by time alone: they are no news of their own.
    const news = JSON.stringify({ ...seen, eventsPerSecond: null, secondsLeft: null });
    const { handled, events } = seen;
    if (news !== told && stream.hasRoom) {
      told = news;
      stream.send('progress', first === null ? seen : paced(seen, first));
    }
    if (events !== null) first ??= { handled, events, at: performance.now() };
    await pause(lookMs, undefined, { signal: stream.signal }).catch(() => undefined);
  }
}

function paced(seen: RebuildJob, first: BuildPoint & { readonly at: number }): RebuildJob {
  const { phase, handled, live, events } = seen;
  if (phase !== 'building' || events === null) return seen;
  return { ...seen, ...paceOf(first, { handled, events }, live, performance.now() - first.at) };
}
