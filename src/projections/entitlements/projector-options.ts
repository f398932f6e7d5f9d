import type { EventEnvelope } from '../../events/event-envelope.js';
import type { Queries } from './fact-queries.js';
import type { FoldingRules } from './folding-rules.js';

/** How the log is folded into the read models of a generation. */
export interface EntitlementsProjectorOptions {
  readonly pool: Queries;
  readonly generation: number;
  /** Left out: the rules of this code. */
  readonly rules?: FoldingRules;
  /** Left out: everyone. Facts are folded whole in any case, so what is judged is judged rightly. */
  readonly judgedUsers?: ReadonlySet<string>;
  /** The fold's time (Unix ms) at an event of a log that leaves others out. Left out: the time that the event brings. */
  readonly timeAt?: (event: EventEnvelope) => number;
  /** Whether the fold's times are written. Left out: they are; a fold that is not in the log's order cannot tell which. */
  readonly keepsTimes?: boolean;
  /** Users judged anew in one transaction when a catalogue is published; between two such, other events are folded. */
  readonly sliceSize?: number;
  /** Streams and users that may be newly set aside within 10,000 events; left out: 20. One more stops the projection. */
  readonly faultLimit?: number;
  /** Bytes of facts kept in memory between batches; beyond it what was not used for the longest time is dropped. */
  readonly bytesInMemory?: number;
  /** The clock that snapshots are served by, Unix ms: decides what changes by time were served. Left out: the database's. */
  readonly now?: () => number;
}

/** What a fold of a part of the log, or in another order, has of its own. */
export type FoldedApart = Pick<
  EntitlementsProjectorOptions,
  'judgedUsers' | 'timeAt' | 'keepsTimes' | 'bytesInMemory'
>;

/** What holds where an option is left out. */
export const DEFAULTS = { sliceSize: 1_000, bytesInMemory: 64_000_000, faultLimit: 20 } as const;
