import {
  AccessDeniedError,
  EventStoreUnavailableError,
  EventTooLargeError,
  InvalidEventError,
  OutcomeUnknownError,
  StreamDeletedError,
  UnknownPositionError,
  WrongExpectedRevisionError,
} from '../errors.js';
import { appendFault, kindOf, NoAnswerError, NotSentError, REPEAT_AFTER_MS, readFault } from './faults.js';

/** An error as grpc-js gives it: a code, a message, and the trailers that the server sent. */
function serviceError(code: number, message: string, trailers: Readonly<Record<string, string>> = {}): Error {
  const metadata = { get: (name: string) => (trailers[name] === undefined ? [] : [trailers[name]]) };
  return Object.assign(new Error(`${code} ${message}`), { code, metadata });
}

const exception = (name: string, rest = {}) =>
  serviceError(9, 'FAILED_PRECONDITION', { exception: name, ...rest });

describe('a fault of an append', () => {
  it.each<[string, unknown, new (...args: never[]) => Error]>([
    [
      'another revision',
      exception('wrong-expected-version', { 'actual-version': '4' }),
      WrongExpectedRevisionError,
    ],
    ['too much data', exception('maximum-append-size-exceeded'), EventTooLargeError],
    [
      'a message over the limit of gRPC',
      serviceError(8, 'Received message larger than max'),
      EventTooLargeError,
    ],
    ['a deleted stream', exception('stream-deleted'), StreamDeletedError],
    ['no right', exception('access-denied'), AccessDeniedError],
    ['no such user', serviceError(16, 'UNAUTHENTICATED'), AccessDeniedError],
    ['bad input', serviceError(3, 'INVALID_ARGUMENT'), InvalidEventError],
    ['a node that is not the leader', exception('not-leader'), EventStoreUnavailableError],
    [
      'nobody there',
      serviceError(14, 'UNAVAILABLE: No connection established. Last error: connect ECONNREFUSED'),
      EventStoreUnavailableError,
    ],
    ['a turn that did not come', new NotSentError('no turn'), EventStoreUnavailableError],
    ['a broken connection', serviceError(14, 'UNAVAILABLE: read ECONNRESET'), OutcomeUnknownError],
    ['a dropped connection', serviceError(14, 'UNAVAILABLE: Connection dropped'), OutcomeUnknownError],
    ['a reset stream', serviceError(13, 'INTERNAL: Received RST_STREAM with code 0'), OutcomeUnknownError],
    ['a cancelled call', serviceError(1, 'CANCELLED'), OutcomeUnknownError],
    ['a time-out here', serviceError(4, 'DEADLINE_EXCEEDED'), OutcomeUnknownError],
    ['a time-out there', serviceError(10, 'ABORTED: Operation timed out'), OutcomeUnknownError],
    ['silence', new NoAnswerError('no answer'), OutcomeUnknownError],
    ['anything else', new TypeError('what?'), OutcomeUnknownError],
    ['what is no error at all', 'what?', OutcomeUnknownError],
  ])('that says %s becomes the error of the port for it', (_, thrown, expected) => {
    const fault = appendFault(thrown, 's', 3);
    expect(fault).toBeInstanceOf(expected);
    expect(appendFault(fault, 's', 3)).toBe(fault);
  });

  it('says when the repeat of a time-out may come, and that others may come at once', () => {
    const late = [serviceError(4, ''), serviceError(10, ''), new NoAnswerError('')];
    for (const thrown of late)
      expect(appendFault(thrown, 's', 0)).toMatchObject({ retryAfterMs: REPEAT_AFTER_MS });
    expect(appendFault(serviceError(14, 'read ECONNRESET'), 's', 0)).toMatchObject({
      retryAfterMs: undefined,
    });
  });

  it('says where the stream really is', () => {
    const at = (version: string) =>
      appendFault(exception('wrong-expected-version', { 'actual-version': version }), 's', 3);
    expect(at('4')).toMatchObject({ stream: 's', expected: 3, actual: 4 });
    expect(at('-1')).toMatchObject({ actual: null });
    expect(appendFault(exception('wrong-expected-version'), 's', 3)).toMatchObject({ actual: null });
  });
});

describe('a fault of a read', () => {
  it.each<[string, unknown, new (...args: never[]) => Error]>([
    ['a deleted stream', exception('stream-deleted'), StreamDeletedError],
    ['no right', exception('access-denied'), AccessDeniedError],
    [
      'a position of no record',
      serviceError(2, 'UNKNOWN: Unexpected ReadAllResult: Error'),
      UnknownPositionError,
    ],
    ['nobody there', serviceError(14, 'No connection established'), EventStoreUnavailableError],
    ['a broken connection', serviceError(14, 'read ECONNRESET'), EventStoreUnavailableError],
    ['a time-out', serviceError(4, 'DEADLINE_EXCEEDED'), EventStoreUnavailableError],
    ['anything else', new Error('what?'), EventStoreUnavailableError],
  ])('that says %s becomes the error of the port for it', (_, thrown, expected) => {
    expect(readFault(thrown, 'the log')).toBeInstanceOf(expected);
  });
});

it('A subscription that was too slow is told from one that was lost', () => {
  expect(kindOf(serviceError(10, 'ABORTED: Consumer too slow to handle event while live.'))).toBe('timeout');
  expect(kindOf(serviceError(14, 'UNAVAILABLE: Connection dropped'))).toBe('lost');
});
