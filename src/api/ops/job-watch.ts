import { setTimeout as pause } from 'node:timers/promises';
import type { EventStream } from '../../http/event-stream.js';

/** How often the database is looked at for a watcher, in milliseconds: no more events go out than that. */
const LOOK_MS = 250;

/** Work that goes on beside the service. Its time left changes by time alone, which is no news of its own. */
interface Job {
  readonly finishedAt: string | null;
  readonly secondsLeft?: number | null;
}

/**
 * Sends an event `progress` at each change of a job, whichever instance makes it, and `done` at its end. Comes back at the
 * end, or when nobody listens any more. `look` finds the job as it is now; `null` where it is no longer there.
 */
export async function watchJob(
  look: () => Promise<Job | null>,
  stream: Pick<EventStream, 'signal' | 'hasRoom' | 'send'>,
  lookMs = LOOK_MS,
): Promise<void> {
  let told = '';
  while (!stream.signal.aborted) {
    const seen = await look();
    if (seen === null || stream.signal.aborted) return;
    if (seen.finishedAt !== null) return stream.send('done', seen);
    const news = JSON.stringify({ ...seen, secondsLeft: null });
    if (news !== told && stream.hasRoom) {
      told = news;
      stream.send('progress', seen);
    }
    await pause(lookMs, undefined, { signal: stream.signal }).catch(() => undefined);
  }
}
