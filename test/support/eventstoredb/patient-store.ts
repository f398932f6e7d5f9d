import {
  EventStoreDbEventStore,
  type EventStoreDbOptions,
} from '../../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import { PATIENCE_MS } from '../until.js';

/** A log of Tenure's prefix by which a test writes and looks: it waits for a busy machine for longer than a service would. */
export function patientStore(options: Pick<EventStoreDbOptions, 'url'> & Partial<EventStoreDbOptions>) {
  return new EventStoreDbEventStore({
    streamPrefix: 'tenure.',
    onFault: () => undefined,
    limits: { appendMs: PATIENCE_MS, readMs: PATIENCE_MS },
    ...options,
  });
}
