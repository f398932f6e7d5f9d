import { HttpException } from '@nestjs/common';
import {
  HistoryRebuiltError,
  MomentAheadError,
  NoEventThereError,
  NotLevelError,
  RebuildNeededError,
} from '../audit/errors.js';
import { ContentionError } from '../commands/errors.js';
import { ClockDiffersError } from '../database/server-clock.js';
import { isTransient } from '../database/transient.js';
import {
  AccessDeniedError,
  EventStoreUnavailableError,
  EventTooLargeError,
  InvalidEventError,
  LogReplacedError,
  OutcomeUnknownError,
  WrongExpectedRevisionError,
} from '../event-store/errors.js';
import { type ProblemCode, ProblemError } from '../http/problem.js';
import { ReadModelNotReadyError } from '../projections/read-models/served-row.js';
import { GenerationError } from '../projections/rebuild/errors.js';
import { UnfitTextError, UserErasedError } from '../pseudonyms/errors.js';
import { StripeUnansweredError } from '../stripe/gateway/stripe-lists.js';
import { StripeRefusedError } from '../stripe/gateway/written.js';
import { ImportUnderWayError } from '../stripe/reconciliation/import/errors.js';
import { ReconciliationUnderWayError } from '../stripe/reconciliation/reconcile/errors.js';

/** Seconds after which a caller may try again when a store is down. */
const RETRY_AFTER_SECONDS = '2';
/** The same while a person has to act. */
const LOG_RETRY_AFTER_SECONDS = '30';

const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  408: 'request_timeout',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'malformed_event',
  429: 'too_many_failures',
};

/** What a caller is told for a status that a framework chose: our words, never the framework's or an error's own. */
const DETAIL_OF_CODE: Partial<Record<ProblemCode, string>> = {
  invalid_request: 'The request could not be understood.',
  not_found: 'There is nothing at this path.',
  payload_too_large: 'The body is over the limit of this route.',
  unsupported_media_type: 'Send application/json.',
  internal_error: 'The fault was logged under the request id.',
};

/**
 * Says which problem any thrown value is. What is not known is `internal_error`: its message stays in the log.
 * Known are our own refusals, the faults of the event store, whatever of the database may pass, and errors of Express,
 * its parsers and Nest, which carry a status.
 */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof ClockDiffersError) {
    return new ProblemError(
      'clock_differs',
      'Nothing was acknowledged: the clock of this instance is wrong. Send the same request again.',
      { 'retry-after': RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
  if (isEventStoreDown(error)) {
    return new ProblemError(
      'event_store_unavailable',
      'Nothing was acknowledged. Send the same request again.',
      { 'retry-after': RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
  if (error instanceof LogReplacedError) {
    return new ProblemError(
      'log_replaced',
      'Nothing was acknowledged. The log lost what was known of it; ops must say what holds. Send the same request again.',
      { 'retry-after': LOG_RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
  if (error instanceof InvalidEventError || error instanceof EventTooLargeError) {
    return new ProblemError('malformed_event', 'The event cannot be stored as it is.', {}, { cause: error });
  }
  if (isTransient(error)) {
    return new ProblemError(
      'database_unavailable',
      'The database does not answer, or not in time. Try again.',
      { 'retry-after': RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
  if (error instanceof ReadModelNotReadyError) {
    return new ProblemError(
      'read_model_not_ready',
      'Nothing can be said of anyone until the first plan catalogue was read. Try again.',
      { 'retry-after': RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
  if (
    error instanceof MomentAheadError ||
    error instanceof NotLevelError ||
    error instanceof RebuildNeededError ||
    error instanceof NoEventThereError ||
    error instanceof HistoryRebuiltError
  ) {
    return new ProblemError(error.code, `${sentenceOf(error.message)}.`, {}, { cause: error });
  }
  if (error instanceof GenerationError) {
    // Level again, the same may pass; everything else is for ops to decide.
    const headers = error.code === 'generation_behind' ? { 'retry-after': RETRY_AFTER_SECONDS } : {};
    return new ProblemError(error.code, `${sentenceOf(error.message)}.`, headers, { cause: error });
  }
  if (error instanceof ImportUnderWayError) {
    return new ProblemError(
      'import_in_progress',
      'Wait for its end, or go on with it.',
      {},
      { cause: error },
    );
  }
  if (error instanceof ReconciliationUnderWayError) {
    return new ProblemError('reconciliation_in_progress', 'Wait for its end.', {}, { cause: error });
  }
  if (error instanceof StripeRefusedError) {
    const { code, param } = error.refusal;
    return new ProblemError(
      'stripe_refused',
      'Stripe refused it for what was asked, or for the state that it is in.',
      {},
      { cause: error, members: { stripeCode: code, stripeParam: param } },
    );
  }
  if (error instanceof StripeUnansweredError) {
    return new ProblemError(
      'stripe_unavailable',
      'Stripe’s API does not answer, or not in time. Send the same request again.',
      { 'retry-after': RETRY_AFTER_SECONDS },
      { cause: error },
    );
  }
  if (error instanceof UserErasedError) {
    return new ProblemError(
      'user_erased',
      'The user was erased. A checkout, or ops, may take the user in again.',
      {},
      { cause: error },
    );
  }
  if (error instanceof UnfitTextError) {
    return new ProblemError('unfit_text', `${sentenceOf(error.message)}.`, {}, { cause: error });
  }
  if (error instanceof URIError) return undecodableUrl(error);
  if (propertyOf(error, 'type') === 'entity.parse.failed') {
    return new ProblemError(
      'malformed_json',
      'The body is not JSON that can be taken.',
      {},
      { cause: error },
    );
  }
  return ofStatus(statusOf(error), error);
}

function sentenceOf(message: string): string {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

function undecodableUrl(error: unknown): ProblemError {
  return new ProblemError(
    'malformed_url',
    'The path is not valid percent-encoded UTF-8.',
    {},
    { cause: error },
  );
}

function ofStatus(status: number, error: unknown): ProblemError {
  if (status === 400 && error instanceof Error && error.message.startsWith('Failed to decode param')) {
    return undecodableUrl(error);
  }
  const code =
    CODE_OF_STATUS[status] ?? (status >= 400 && status < 500 ? 'invalid_request' : 'internal_error');
  return new ProblemError(code, DETAIL_OF_CODE[code] ?? 'The request was refused.', {}, { cause: error });
}

/**
 * After bounded retries a conflict is as good as a store that is down: the caller repeats. So is a store that refuses our
 * user: that is for ops to mend, and what Stripe delivers meanwhile must not be lost.
 */
function isEventStoreDown(error: unknown): boolean {
  return (
    error instanceof EventStoreUnavailableError ||
    error instanceof OutcomeUnknownError ||
    error instanceof AccessDeniedError ||
    error instanceof WrongExpectedRevisionError ||
    error instanceof ContentionError
  );
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status = propertyOf(error, 'status') ?? propertyOf(error, 'statusCode');
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 600
    ? status
    : 500;
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
