import type { EventEnvelope } from '../events/event-envelope.js';
import type { TracedEvent, Tracing } from '../observability/tracing.js';
import type { Projector } from './engine/projector.js';
import { UnreadableEvent } from './engine/unreadable-event.js';

/** Follows events through a projector: a span `fold` for each that is applied, and below it one `write rows`. */
export function tracedProjector(
  projector: Projector<EventEnvelope>,
  tracing: Pick<Tracing, 'events'>,
): Projector<EventEnvelope> {
  return {
    name: projector.name,
    codeVersion: projector.codeVersion,
    project: async (events, from) => {
      const began = Date.now();
      const batch = await projector.project(events, from);
      const spans = tracing.events('fold', events.slice(0, batch.applied).flatMap(tracedEventOf), began);
      return {
        ...batch,
        write: async (client) => {
          const writeBegan = Date.now();
          try {
            await batch.write(client);
          } catch (error) {
            spans.below('write rows', writeBegan, error);
            throw error;
          }
          spans.below('write rows', writeBegan);
        },
        findUnwritable: (client) => batch.findUnwritable(client),
      };
    },
    projectAhead: (events, from) => projector.projectAhead(events, from),
    writePart: (from, unwritable) => projector.writePart(from, unwritable),
    setAside: (event, failure, from) => projector.setAside(event, failure, from),
    retrySetAside: (source, from, limits) => projector.retrySetAside(source, from, limits),
    forget: () => projector.forget(),
  };
}

function tracedEventOf(event: EventEnvelope | UnreadableEvent): readonly TracedEvent[] {
  if (event instanceof UnreadableEvent) return [];
  const { id, type, metadata } = event;
  return [{ id, type, correlationId: metadata.correlationId }];
}
