import type { LoadGenerator } from '../load/generator-process.js';
import type { BenchDatabaseServer } from './bench-database.js';
import type { LongLogs } from './long-log.js';
import type { BenchServer } from './rival-process.js';

/** How long and how often to measure. */
export interface Effort {
  /** Odd, so that the median is one of them. */
  readonly rounds: number;
  readonly ingestSeconds: number;
  readonly querySeconds: number;
  readonly freshnessSeconds: number;
  readonly warmUpSeconds: number;
  /** Events in the log that is read to its end. */
  readonly logEvents: number;
  /** Events in the log that is folded again; `REBUILD_EVENTS` says otherwise. */
  readonly rebuildEvents: number;
  /** Users with five events each to whom a catalogue is published. */
  readonly scaleUsers: number;
  /** Events in the log that is asked as of a moment; `AS_OF_EVENTS` says otherwise. */
  readonly asOfEvents: number;
  /** Events in the log that an auditor reads; `AUDIT_LOG_EVENTS` says otherwise. */
  readonly auditLogEvents: number;
  /** Events in the longest of the logs of which a tree is made; `AUDIT_TREE_EVENTS` says otherwise. */
  readonly auditTreeEvents: number;
  /** Purchases through Tenure's checkout. */
  readonly purchases: number;
  /** Users whose snapshots instances share in Redis. */
  readonly sharedUsers: number;
  /** Streams of users over two instances, how often each of them is told a change (`PUSH_CHANGES` says otherwise), and long polls. */
  readonly pushStreams: number;
  readonly pushChanges: number;
  readonly pushPolls: number;
  /** How long the whole is measured before an instance starts and a rebuild begins; `WHOLE_SECONDS` says otherwise. */
  readonly wholeSeconds: number;
}

export const FULL: Effort = {
  rounds: 3,
  ingestSeconds: 3,
  querySeconds: 2,
  freshnessSeconds: 8,
  warmUpSeconds: 8,
  logEvents: 50_000,
  rebuildEvents: 100_000,
  scaleUsers: 100_000,
  asOfEvents: 1_000_000,
  auditLogEvents: 1_000_000,
  auditTreeEvents: 1_000_000,
  purchases: 1_000,
  sharedUsers: 10_000,
  pushStreams: 1_000,
  pushChanges: 100,
  pushPolls: 300,
  wholeSeconds: 60,
};
/** Shows that everything runs; its figures mean little. */
export const QUICK: Effort = {
  rounds: 1,
  ingestSeconds: 1,
  querySeconds: 1,
  freshnessSeconds: 3,
  warmUpSeconds: 1,
  logEvents: 5_000,
  rebuildEvents: 5_000,
  scaleUsers: 1_000,
  asOfEvents: 5_000,
  auditLogEvents: 5_000,
  auditTreeEvents: 5_000,
  purchases: 40,
  sharedUsers: 1_000,
  pushStreams: 100,
  pushChanges: 5,
  pushPolls: 30,
  wholeSeconds: 10,
};

/** What every benchmark gets. The service under test is one process for the whole run. */
export interface BenchContext {
  readonly effort: Effort;
  readonly database: BenchDatabaseServer;
  readonly generator: LoadGenerator;
  readonly service: BenchServer;
  readonly serviceDatabaseUrl: string;
  /** The EventStoreDB to measure on; `null`: the test server. */
  readonly eventStoreUrl: string | null;
  readonly longLogs: LongLogs;
  readonly secret: string;
  readonly adminKey: string;
  /** Tells the person at the terminal what is going on. */
  readonly say: (line: string) => void;
}
