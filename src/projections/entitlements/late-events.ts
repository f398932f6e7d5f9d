import type { EventEnvelope } from '../../events/event-envelope.js';
import { comparePositions, type Position } from '../../events/stored-event.js';
import type { ProjectionSource } from '../engine/projection-source.js';
import { readEvent, type UnreadableEvent } from '../engine/unreadable-event.js';
import type { AsideStream } from './set-aside-rows.js';

/** An event of a stream that was set aside, and the one of that stream that waits after it. */
export interface LateEvent {
  readonly event: EventEnvelope | UnreadableEvent;
  readonly next: { readonly revision: number; readonly position: Position } | null;
}

/** Every event that waits in these streams, up to `handled` (inclusive), in the order of the log. */
export async function readLate(
  source: Pick<ProjectionSource, 'read'>,
  streams: readonly Pick<AsideStream, 'stream' | 'revision'>[],
  handled: Position,
): Promise<readonly LateEvent[]> {
  const late: (LateEvent & { readonly position: Position })[] = [];
  for (const { stream, revision } of streams) {
    const stored = (await source.read(stream, revision)).filter(
      ({ position }) => comparePositions(position, handled) <= 0,
    );
    stored.forEach((each, index) => {
      const next = stored[index + 1];
      late.push({
        event: readEvent(each),
        next: next === undefined ? null : { revision: next.revision, position: next.position },
        position: each.position,
      });
    });
  }
  return late.sort((a, b) => comparePositions(a.position, b.position));
}
