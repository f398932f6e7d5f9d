import {
  AccessDeniedError,
  EventStoreError,
  EventStoreUnavailableError,
  EventTooLargeError,
  InvalidEventError,
  OutcomeUnknownError,
  StreamDeletedError,
  UnknownPositionError,
  WrongExpectedRevisionError,
} from '../errors.js';
import type { ExpectedRevision } from '../event-store.js';

/** Milliseconds before which the server drops the repeat of an append that timed out, being busy with the first still. */
export const REPEAT_AFTER_MS = 2_000;

/**
 * What a fault of a call is, whatever words it came in. `not_leader` and `not_sent` changed nothing; of `timeout` and
 * `lost` nobody knows.
 */
export type FaultKind =
  | 'wrong_revision'
  | 'too_large'
  | 'invalid'
  | 'deleted'
  | 'access_denied'
  | 'not_leader'
  | 'unknown_position'
  | 'not_sent'
  | 'timeout'
  | 'lost';

/** Kinds by the `exception` trailer that the server sends (the client's `ErrorType`). */
const KIND_OF_EXCEPTION = new Map<string, FaultKind>([
  ['wrong-expected-version', 'wrong_revision'],
  ['maximum-append-size-exceeded', 'too_large'],
  ['stream-deleted', 'deleted'],
  ['access-denied', 'access_denied'],
  ['not-leader', 'not_leader'],
]);

/** gRPC status codes ("gRPC core concepts: status codes"). */
const CODE = {
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** What grpc-js says when it had no connection to send a call on. */
const NEVER_SENT =
  /No connection established|Name resolution failed|before call started|Channel has been shut down/;

/** A call that was not begun: no channel, no turn, or its time was over before. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/** An own timer ran out while the call was under way. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  readonly mayPass = true;
  readonly isTimeout = true;
}

/** Classifies whatever a call threw. */
export function kindOf(thrown: unknown): FaultKind {
  if (thrown instanceof NotSentError) return 'not_sent';
  if (thrown instanceof NoAnswerError) return 'timeout';
  const exception = KIND_OF_EXCEPTION.get(trailer(thrown, 'exception') ?? '');
  if (exception !== undefined) return exception;
  const message = thrown instanceof Error ? thrown.message : '';
  switch (property(thrown, 'code')) {
    case CODE.UNAVAILABLE:
      return NEVER_SENT.test(message) ? 'not_sent' : 'lost';
    case CODE.DEADLINE_EXCEEDED:
    case CODE.ABORTED:
      return 'timeout';
    case CODE.PERMISSION_DENIED:
    case CODE.UNAUTHENTICATED:
      return 'access_denied';
    case CODE.INVALID_ARGUMENT:
      return 'invalid';
    case CODE.RESOURCE_EXHAUSTED:
      return /message/i.test(message) ? 'too_large' : 'lost';
    default:
      return message.includes('ReadAllResult: Error') ? 'unknown_position' : 'lost';
  }
}

/** The port's error for a failed append. */
export function appendFault(thrown: unknown, stream: string, expected: ExpectedRevision): EventStoreError {
  if (thrown instanceof EventStoreError) return thrown;
  const options = { cause: thrown };
  switch (kindOf(thrown)) {
    case 'wrong_revision': {
      const actual = trailer(thrown, 'actual-version');
      // A stream that does not exist is left out, or said as −1.
      const revision = actual === null || Number(actual) < 0 ? null : Number(actual);
      return new WrongExpectedRevisionError(stream, expected, revision);
    }
    case 'too_large':
      return new EventTooLargeError(`append to ${stream} is too large for the store`, options);
    case 'invalid':
      return new InvalidEventError(`the store does not take the append to ${stream}`, options);
    case 'deleted':
      return deleted(stream, thrown);
    case 'access_denied':
      return denied(`append to ${stream}`, thrown);
    case 'not_leader':
    case 'not_sent':
      return new EventStoreUnavailableError(`no event store took the append: ${wordsOf(thrown)}`, options);
    case 'timeout':
      return new OutcomeUnknownError(`the append may have landed: ${wordsOf(thrown)}`, {
        ...options,
        retryAfterMs: REPEAT_AFTER_MS,
      });
    case 'unknown_position':
    case 'lost':
      return new OutcomeUnknownError(`the append may have landed: ${wordsOf(thrown)}`, options);
  }
}

/** The port's error for a failed read. `what` names what was read. */
export function readFault(thrown: unknown, what: string): EventStoreError {
  if (thrown instanceof EventStoreError) return thrown;
  switch (kindOf(thrown)) {
    case 'deleted':
      return deleted(what, thrown);
    case 'access_denied':
      return denied(`read ${what}`, thrown);
    case 'unknown_position':
      return new UnknownPositionError(
        `the log has no record where ${what} should begin: the position is of another log`,
        { cause: thrown },
      );
    case 'wrong_revision':
    case 'too_large':
    case 'invalid':
    case 'timeout':
      return new EventStoreUnavailableError(`${what} cannot be read: ${wordsOf(thrown)}`, {
        cause: new NoAnswerError(wordsOf(thrown), { cause: thrown }),
      });
    case 'not_leader':
    case 'not_sent':
    case 'lost':
      return new EventStoreUnavailableError(`${what} cannot be read: ${wordsOf(thrown)}`, { cause: thrown });
  }
}

function deleted(stream: string, cause: unknown): StreamDeletedError {
  return new StreamDeletedError(`${stream} was deleted in the event store`, { cause });
}

function denied(what: string, cause: unknown): AccessDeniedError {
  return new AccessDeniedError(`the event store does not let this user ${what}`, { cause });
}

/** Whatever was thrown, in words for a log. */
export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error && thrown.message !== '' ? thrown.message : String(thrown);
}

/** The first value of a gRPC trailer that came with an error. */
function trailer(thrown: unknown, name: string): string | null {
  const metadata = property(thrown, 'metadata');
  if (typeof metadata !== 'object' || metadata === null || !('get' in metadata)) return null;
  if (typeof metadata.get !== 'function') return null;
  const values: unknown = metadata.get(name);
  return Array.isArray(values) && values.length > 0 ? String(values[0]) : null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
