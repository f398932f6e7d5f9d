import {
  EventStoreDbEventStore,
  type EventStoreDbOptions,
} from '../../src/event-store/eventstoredb/eventstoredb-event-store.js';
import { EventStoreDbServer } from '../support/eventstoredb/server.js';

/** A test server with an empty log, and stores on it that each have their own client. */
export interface EventStoreDbLog {
  readonly server: EventStoreDbServer;
  /** Faults the stores reported beside their calls. */
  readonly faults: unknown[];
  store(given?: Partial<EventStoreDbOptions>): EventStoreDbEventStore;
  /** Closes every store, then ends the server. */
  close(): Promise<void>;
}

export async function openEventStoreDbLog(): Promise<EventStoreDbLog> {
  const server = await EventStoreDbServer.start();
  const opened = storesAt(server.url);
  return {
    server,
    ...opened,
    close: async () => {
      await opened.close();
      await server.stop();
    },
  };
}

/** Stores on the server at `url`, whatever it is. */
export function storesAt(url: string): Omit<EventStoreDbLog, 'server'> {
  const faults: unknown[] = [];
  const stores: EventStoreDbEventStore[] = [];
  return {
    faults,
    store: (given = {}) => {
      const store = new EventStoreDbEventStore({
        url,
        streamPrefix: 'tenure.',
        onFault: (fault) => faults.push(fault),
        ...given,
      });
      stores.push(store);
      return store;
    },
    close: async () => {
      for (const store of stores) await store.close();
    },
  };
}
