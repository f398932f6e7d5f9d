import type { Position, StoredEvent } from '../events/stored-event.js';
import { NamedError } from '../observability/named-error.js';
import type { EventStore, LogTarget } from './event-store.js';
import { appendSurely, ChainCheck, eventsOf, isSameEvent, nameOf, pagesOf } from './log-transfer.js';

/** The copy cannot go on: the source's chain is broken, or the target is no beginning of the source. */
export class LogCopyError extends NamedError {
  readonly code = 'log_copy_failed';
}

/** How far a copy came. `found` were in the target before. */
export interface CopyProgress {
  readonly found: number;
  readonly copied: number;
  /** Position in the source of the last event that is in both. */
  readonly position: Position | null;
}

/**
 * Copies a log event by event, in its order, with every id, text and revision as it is, and checks the hash chain of every
 * stream on the way. What the target holds already is compared instead: a copy that was broken off goes on where it was,
 * and a second run over a finished copy verifies it. Nobody may append to either log meanwhile.
 * @param onProgress is called after every page of the source
 * @throws LogCopyError, and what the stores throw
 */
export async function copyLog(
  source: EventStore,
  target: LogTarget,
  onProgress: (progress: CopyProgress) => void,
): Promise<CopyProgress> {
  const chains = new ChainCheck(source);
  const there = eventsOf(target);
  let isTargetAtEnd = false;
  let [found, copied] = [0, 0];
  let position: Position | null = null;
  for await (const page of pagesOf(source)) {
    const missing: StoredEvent[] = [];
    for (const event of page) {
      const broken = await chains.follow(event);
      if (broken !== null) throw new LogCopyError(`the chain is broken at ${nameOf(event)}: ${broken}`);
      const same = isTargetAtEnd ? undefined : (await there.next()).value;
      if (same === undefined) {
        isTargetAtEnd = true;
        missing.push(event);
      } else {
        expectSame(event, same);
        found += 1;
      }
    }
    await appendSurely(target, missing);
    copied += missing.length;
    position = page.at(-1)?.position ?? position;
    onProgress({ found, copied, position });
  }
  const more = isTargetAtEnd ? undefined : (await there.next()).value;
  if (more !== undefined) {
    throw new LogCopyError(`the target goes on where the source ends: ${nameOf(more)} is not in the source`);
  }
  return { found, copied, position };
}

function expectSame(wanted: StoredEvent, there: StoredEvent): void {
  if (isSameEvent(wanted, there)) return;
  throw new LogCopyError(`the target holds ${nameOf(there)} where the source holds ${nameOf(wanted)}`);
}
