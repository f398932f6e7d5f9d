import shared from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import grpc from '@grpc/grpc-js';
import type { Message } from 'google-protobuf';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';
import { expectedNumber } from './protocol.js';
import type { Expected } from './records.js';

/** A refusal as gRPC carries it: the client tells them apart by the `exception` header, else by the code. */
export interface WireStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: grpc.Metadata;
}

/** Data bytes that one append may carry, summed over its events; metadata and types do not count. */
export const MAX_APPEND_BYTES = 1_048_576;

export const unavailable = () => wireStatus(grpc.status.UNAVAILABLE, 'The server is not ready');

export const handlerFailed = () => wireStatus(grpc.status.UNKNOWN, 'Exception was thrown by handler.');

export const unexpectedResult = (operation: string) =>
  wireStatus(grpc.status.UNKNOWN, `Unexpected ${operation}: Error`);

export const accessDenied = () =>
  wireStatus(grpc.status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const notLeader = (leader: { readonly address: string; readonly port: number }) =>
  wireStatus(grpc.status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': leader.address,
    'leader-endpoint-port': String(leader.port),
  });

export const streamDeleted = (stream: string) =>
  wireStatus(grpc.status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

/** Of a delete or a tombstone; an append says it in its answer. */
export const deleteAtWrongVersion = (stream: string, expected: Expected, actual: number) =>
  wireStatus(
    grpc.status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expectedNumber(expected)}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expectedNumber(expected)),
      'actual-version': String(actual),
    },
  );

export const appendTooLarge = () =>
  wireStatus(grpc.status.INVALID_ARGUMENT, `Maximum Append Size of ${MAX_APPEND_BYTES} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(MAX_APPEND_BYTES),
  });

export const messageTooLarge = () =>
  wireStatus(grpc.status.RESOURCE_EXHAUSTED, 'Received message exceeds the maximum configured message size.');

export const writeTimedOut = () => wireStatus(grpc.status.ABORTED, 'Operation timed out');

/** What a live subscription ends with when too many events wait for its consumer. */
export const consumerTooSlow = () =>
  wireStatus(
    grpc.status.ABORTED,
    'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );

function wireStatus(code: number, details: string, headers: Record<string, string> = {}): WireStatus {
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value.replace(/[^ -~]/g, '?'));
  return { code, details, metadata };
}

/** The errors of the batch stream travel inside its answers, as a status with one of these details. */
export const batchTimeout = () => batchError('Timeout', 'Timeout', new shared.Timeout());

export const batchBadRequest = (message: string) => {
  const details = new shared.BadRequest();
  details.setMessage(message);
  return batchError('BadRequest', 'BadRequest', details);
};

export const batchAccessDenied = () => batchError('AccessDenied', 'AccessDenied', new shared.AccessDenied());

export const batchStreamDeleted = (identifier: InstanceType<typeof shared.StreamIdentifier> | undefined) => {
  const details = new shared.StreamDeleted();
  if (identifier !== undefined) details.setStreamIdentifier(identifier);
  return batchError('StreamDeleted', 'StreamDeleted', details);
};

export const batchTooLarge = () => {
  const details = new shared.MaximumAppendSizeExceeded();
  details.setMaxappendsize(MAX_APPEND_BYTES);
  return batchError('MaximumAppendSizeExceeded', 'MaximumAppendSizeExceeded', details);
};

export const batchWrongVersion = (details: InstanceType<typeof shared.WrongExpectedVersion>) =>
  batchError('WrongExpectedVersion', 'WrongExpectedVersion', details);

function batchError(message: string, type: string, details: Message): InstanceType<typeof statusPb.Status> {
  const packed = new anyPb.Any();
  packed.pack(details.serializeBinary(), `event_store.client.${type}`);
  const status = new statusPb.Status();
  status.setCode(2);
  status.setMessage(message);
  status.setDetails(packed);
  return status;
}
