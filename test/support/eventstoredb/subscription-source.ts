import { type Filter, filterOf } from './filter.js';
import type { EventLog } from './log.js';
import { streamNameOf } from './protocol.js';
import type { ReadOptions } from './read-call.js';
import { startOfAll } from './read-service.js';
import type { LogRecord } from './records.js';
import { handlerFailed, streamDeleted, type WireStatus } from './wire-status.js';

/** Records looked at per page of a catch-up without a filter. */
const PAGE = 32;

/** What a subscription reads: ordinals of the log from `from` on, of which it wants some. */
export interface SubscriptionSource {
  /** Ordinal of the first record to look at. */
  readonly from: number;
  /** Records looked at per page of the catch-up. */
  readonly window: number;
  /** Records looked at per checkpoint; undefined without a filter. */
  readonly checkpointEvery: number | undefined;
  readonly links: 'resolve' | 'leave';
  /** True until the subscribed stream has its first event: only then it has caught up. */
  readonly waitsForStream: boolean;
  readonly wants: (record: LogRecord) => boolean;
}

/** Where and what the client wants to be told of, or why it cannot be. @throws BadRequestError */
export function sourceOf(log: EventLog, options: ReadOptions): SubscriptionSource | WireStatus {
  return options.hasAll() ? allSource(log, options) : streamSource(log, options);
}

/** A position is exclusive here; that of a page start (a checkpoint) too, for its record was looked at. */
function allSource(log: EventLog, options: ReadOptions): SubscriptionSource | WireStatus {
  const filter: Filter | undefined = filterOf(options);
  const start = startOfAll(log, options);
  if (typeof start === 'string') return handlerFailed();
  const commit = Number(options.getAll()?.getPosition()?.getCommitPosition() ?? 0);
  return {
    from: commit > 0 && start < log.indexed ? start + 1 : start,
    window: filter?.window ?? PAGE,
    checkpointEvery: filter?.checkpointEvery,
    links: options.getResolveLinks() ? 'resolve' : 'leave',
    waitsForStream: false,
    wants: filter?.matches ?? (() => true),
  };
}

/** A revision is exclusive. Events hidden by the stream's metadata when the subscription starts are not delivered. */
function streamSource(log: EventLog, options: ReadOptions): SubscriptionSource | WireStatus {
  const from = options.getStream();
  const name = streamNameOf(from?.getStreamIdentifier());
  const view = log.view(name);
  if (view.is === 'deleted') return streamDeleted(name);
  const fromEnd = from?.hasEnd() === true;
  const after = from?.hasRevision() === true ? Number(from.getRevision()) : -1;
  const first = view.is === 'there' ? Math.max(view.first, after + 1) : after + 1;
  const start = view.is === 'there' ? view.records[first]?.ordinal : undefined;
  return {
    from: fromEnd ? log.indexed : (start ?? log.indexed),
    window: PAGE,
    checkpointEvery: undefined,
    links: options.getResolveLinks() ? 'resolve' : 'leave',
    waitsForStream: view.is === 'missing' && !fromEnd,
    wants: (record) => record.stream === name && record.revision >= first,
  };
}
