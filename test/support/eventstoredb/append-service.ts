import type streams from '@eventstore/db-client/generated/streams_pb.js';
import type grpc from '@grpc/grpc-js';
import { unarySuccess, unaryWrongVersion } from './append-answers.js';
import type { Faults } from './faults.js';
import type { Admission, EventLog } from './log.js';
import { BadRequestError, expectedOf, proposalOf, streamNameOf } from './protocol.js';
import type { Expected, ProposedEvent } from './records.js';
import {
  appendTooLarge,
  handlerFailed,
  MAX_APPEND_BYTES,
  messageTooLarge,
  streamDeleted,
  type WireStatus,
  writeTimedOut,
} from './wire-status.js';

/** Largest message the server takes at all. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Cuts the TCP connection a call came on. */
export type Cut = (call: { getPeer(): string }) => void;

/** What an append is answered with, sooner or later. */
export type Outcome = Exclude<Admission, { is: 'repeat of one not indexed yet' | 'never answered' }>;

/** One append, whichever path it came on. */
export interface Append {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly ProposedEvent[];
}

type AppendCall = grpc.ServerReadableStream<
  InstanceType<typeof streams.AppendReq>,
  InstanceType<typeof streams.AppendResp>
>;
type AppendAnswer = grpc.sendUnaryData<InstanceType<typeof streams.AppendResp>>;

/**
 * Stores an append, through the faults that are set, and hands its outcome to `answer` when the server would answer:
 * what was written once it is indexed, the repeat of an append not indexed yet never (`timeout` is called instead).
 */
export function storeAppend(
  log: EventLog,
  faults: Faults,
  append: Append,
  cut: () => void,
  answer: (outcome: Outcome) => void,
  timeout: () => void,
): void {
  const moment = faults.nextAppend();
  if (moment === 'before storing') {
    cut();
    return;
  }
  const admission = log.append(append.stream, append.expected, append.events);
  const send = (outcome: Outcome) => faults.answer(() => answer(outcome));
  if (moment === 'after storing') cut();
  else if (admission.is === 'repeat of one not indexed yet')
    setTimeout(timeout, faults.writeTimeoutMs).unref();
  else if (admission.is === 'written') log.whenIndexed(admission.ordinal, () => send(admission));
  else if (admission.is !== 'never answered') send(admission);
}

/** The unary append: options first, then one message per event, one answer. */
export function appendHandler(log: EventLog, faults: Faults, cut: Cut) {
  return (call: AppendCall, callback: AppendAnswer): void => {
    const requests: InstanceType<typeof streams.AppendReq>[] = [];
    call.on('data', (request: InstanceType<typeof streams.AppendReq>) => requests.push(request));
    call.on('end', () => {
      if (call.cancelled) return;
      const refuse = (status: WireStatus) => callback(status);
      faults.admit(call, () => appendUnary(log, faults, () => cut(call), requests, callback), refuse);
    });
  };
}

function appendUnary(
  log: EventLog,
  faults: Faults,
  cut: () => void,
  requests: readonly InstanceType<typeof streams.AppendReq>[],
  callback: AppendAnswer,
): void {
  const append = parseUnary(requests);
  if ('code' in append) {
    callback(append);
    return;
  }
  const { stream, expected } = append;
  storeAppend(
    log,
    faults,
    append,
    cut,
    (admission) => {
      switch (admission.is) {
        case 'written':
        case 'repeat':
          return callback(null, unarySuccess(admission));
        case 'wrong version':
          return callback(null, unaryWrongVersion(expected, admission.actual));
        case 'stream deleted':
          return callback(streamDeleted(stream));
        default:
          return admission satisfies never;
      }
    },
    () => callback(writeTimedOut()),
  );
}

function parseUnary(requests: readonly InstanceType<typeof streams.AppendReq>[]): Append | WireStatus {
  try {
    const options = requests[0]?.getOptions();
    if (options === undefined) return handlerFailed();
    const messages = requests.slice(1).flatMap((request) => request.getProposedMessage() ?? []);
    const sizes = messages.map((message) => message.getData_asU8().length);
    if (sizes.some((size) => size > MAX_MESSAGE_BYTES)) return messageTooLarge();
    if (sum(sizes) > MAX_APPEND_BYTES) return appendTooLarge();
    return {
      stream: streamNameOf(options.getStreamIdentifier()),
      expected: expectedOf(options, options.getRevision()),
      events: messages.map(proposalOf),
    };
  } catch (error) {
    if (error instanceof BadRequestError) return handlerFailed();
    throw error;
  }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
