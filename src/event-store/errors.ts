import { isTimeout } from '../database/transient.js';
import { NamedError } from '../observability/named-error.js';
import type { ExpectedRevision } from './event-store.js';

/** Base of the faults an event store can have; `code` is stable and safe to show. */
export abstract class EventStoreError extends NamedError {
  /** Whether the same call may succeed later. */
  readonly mayPass: boolean = false;
  /** Whether it took too long: a smaller page may come in time. */
  get isTimeout(): boolean {
    return isTimeout(this.cause);
  }
}

/** The stream is not at the expected revision. `actual` is its last revision, `null` when it does not exist. */
export class WrongExpectedRevisionError extends EventStoreError {
  readonly code = 'wrong_expected_revision';
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    readonly actual: number | null,
  ) {
    super(`stream ${stream}: expected revision ${expected}, found ${actual ?? 'no stream'}`);
  }
}

/** The event cannot be stored byte for byte. */
export class InvalidEventError extends EventStoreError {
  readonly code = 'invalid_event';
}

/** The append is larger than the store takes. */
export class EventTooLargeError extends EventStoreError {
  readonly code = 'event_too_large';
}

/** The stream was deleted for good by someone with rights on the store. */
export class StreamDeletedError extends EventStoreError {
  readonly code = 'stream_deleted';
}

/** The store refused the user or what the user may do; nothing was written. */
export class AccessDeniedError extends EventStoreError {
  readonly code = 'event_store_access_denied';
}

/** The log holds no record where a reader wants to go on: the position is of another log. */
export class UnknownPositionError extends EventStoreError {
  readonly code = 'unknown_position';
}

/** The log is not the one that the read models were made from: nothing is written until it is back, or adopted. */
export class LogReplacedError extends EventStoreError {
  readonly code = 'log_replaced';
}

/** No store answered; the append cannot have landed. */
export class EventStoreUnavailableError extends EventStoreError {
  readonly code = 'event_store_unavailable';
  override readonly mayPass = true;
}

/** The connection broke or timed out after the append was sent: it may have landed. Repeat the same bytes. */
export class OutcomeUnknownError extends EventStoreError {
  readonly code = 'outcome_unknown';
  override readonly mayPass = true;
  /** Milliseconds before which a repeat would be dropped by the store; `undefined` when it may follow at once. */
  readonly retryAfterMs: number | undefined;
  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}
