import type { Settings } from '../config/settings.js';
import type { FailureLog } from '../http/failure-log.js';
import type { Logger } from '../observability/logger.js';
import type { Metrics } from '../observability/metrics.js';
import type { Tracing } from '../observability/tracing.js';
import type { StartSteps, StopOrder } from './stop-order.js';

/**
 * The steps of a service in the order in which they begin; they end the other way round. How long each may take to end,
 * in milliseconds; all together end within 20 s (`StopOrder`).
 */
export const STEPS = {
  traces: { name: 'traces', withinMs: 2_500 },
  embeddedDatabase: { name: 'embedded database', withinMs: 11_000, atLeastMs: 5_000, openWithinMs: 5_000 },
  database: { name: 'database connections', withinMs: 3_000 },
  clock: { name: 'clock', withinMs: 1_000 },
  eventStore: { name: 'event store', withinMs: 3_000 },
  cache: { name: 'shared cache', withinMs: 1_000 },
  heartbeat: { name: 'note of the last delivery', withinMs: 1_000 },
  application: { name: 'application', withinMs: 2_000 },
  lastUse: { name: 'uses of keys', withinMs: 1_000 },
  logWatch: { name: 'watch over the log', withinMs: 2_000 },
  projections: { name: 'projections', withinMs: 6_000 },
  leadership: { name: 'who leads', withinMs: 1_000 },
  inquiries: { name: 'inquiries and deadlines', withinMs: 2_000 },
  reactions: { name: 'reactions', withinMs: 3_000 },
  auditTree: { name: 'tree of the log', withinMs: 2_000 },
  attention: { name: 'what needs attention', withinMs: 1_000 },
  requests: { name: 'requests under way', withinMs: 6_000 },
} as const;

/** What a start can be told beside the settings. */
export interface TenureHooks {
  /** Gets a line before something that takes a while, such as making the embedded database. */
  readonly onProgress?: (message: string) => void;
  readonly logger?: Logger;
  /** Node's flags for the threads that fold; left out, those of the process. `none`: this thread folds. */
  readonly threads?: readonly string[] | 'none';
  /** How long `/health/ready` and `/metrics` tell one answer, in milliseconds; left out, a second. */
  readonly openAnswersKeptMs?: number;
  /** Something the service cannot go on without has ended. */
  readonly onFatal?: (error: Error) => void;
  /** This machine's clock, Unix milliseconds: the one place where a test sets it. Left out: the system's. */
  readonly now?: () => number;
  /** Aborted, it ends a start at whatever step it is: what is up by then is ended in order. */
  readonly signal?: AbortSignal;
}

/** What every step of a start has at hand. */
export interface Starting {
  readonly settings: Settings;
  readonly hooks: TenureHooks;
  readonly logger: Logger;
  readonly failures: FailureLog;
  readonly metrics: Metrics;
  /** `null`: nothing is traced. */
  readonly tracing: Tracing | null;
  /** This machine's clock, Unix milliseconds; what is written asks `ServerClock`. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  readonly steps: StartSteps;
  readonly stops: StopOrder;
}
