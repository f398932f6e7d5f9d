import type { BenchContext } from './bench-context.js';
import type { BenchEventStore } from './bench-event-store.js';
import { BenchLog } from './bench-log.js';

/** What the works on EventStoreDB get. */
export interface EventStoreContext {
  readonly context: BenchContext;
  readonly server: BenchEventStore;
  readonly log: BenchLog;
  /** What the names of all streams of this run begin with. */
  readonly prefix: string;
}
