import type shared from '@eventstore/db-client/generated/shared_pb.js';
import type statusPb from '@eventstore/db-client/generated/status_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type grpc from '@grpc/grpc-js';
import { batchSuccess, batchWrongVersionDetails } from './append-answers.js';
import { type Append, type Cut, MAX_MESSAGE_BYTES, storeAppend, sum } from './append-service.js';
import type { Faults } from './faults.js';
import type { EventLog } from './log.js';
import { BadRequestError, expectedOf, proposalOf, streamNameOf } from './protocol.js';
import {
  batchBadRequest,
  batchStreamDeleted,
  batchTimeout,
  batchTooLarge,
  batchWrongVersion,
  MAX_APPEND_BYTES,
  messageTooLarge,
} from './wire-status.js';

type Request = InstanceType<typeof streams.BatchAppendReq>;
type Response = InstanceType<typeof streams.BatchAppendResp>;
type BatchCall = grpc.ServerDuplexStream<Request, Response>;
type BatchStatus = InstanceType<typeof statusPb.Status>;

/** One append of the stream; `messages` grow until the request that says it is final. */
interface Batch {
  readonly correlationId: InstanceType<typeof shared.UUID> | undefined;
  readonly options: InstanceType<typeof streams.BatchAppendReq.Options>;
  readonly messages: InstanceType<typeof streams.BatchAppendReq.ProposedMessage>[];
}

/** The batch append: one long-lived stream, many appends in order, each answered under its correlation id. */
export function batchAppendHandler(log: EventLog, faults: Faults, cut: Cut) {
  return (call: BatchCall): void => {
    const open = new Map<string, Batch>();
    call.on('data', (request: Request) => {
      const batch = collect(open, request);
      if (
        request.getProposedMessagesList().some((message) => message.getData_asU8().length > MAX_MESSAGE_BYTES)
      ) {
        call.emit('error', messageTooLarge());
        return;
      }
      if (batch === undefined || !request.getIsFinal()) return;
      open.delete(keyOf(request));
      faults.admit(
        call,
        () =>
          appendBatch(
            log,
            faults,
            () => cut(call),
            batch,
            (response) => send(call, response),
          ),
        (status) => call.emit('error', status),
      );
    });
    call.on('end', () => call.end());
  };
}

function send(call: BatchCall, response: Response): void {
  if (!call.cancelled && !call.writableEnded) call.write(response);
}

function collect(open: Map<string, Batch>, request: Request): Batch | undefined {
  const options = request.getOptions();
  const batch =
    options === undefined
      ? open.get(keyOf(request))
      : { correlationId: request.getCorrelationId(), options, messages: [] };
  if (batch === undefined) return undefined;
  open.set(keyOf(request), batch);
  for (const message of request.getProposedMessagesList()) batch.messages.push(message);
  return batch;
}

function keyOf(request: Request): string {
  return request.getCorrelationId()?.getString() ?? '';
}

function appendBatch(
  log: EventLog,
  faults: Faults,
  cut: () => void,
  batch: Batch,
  respond: (response: Response) => void,
): void {
  const fail = (status: BatchStatus) => respond(failure(batch, status));
  const append = parseBatch(batch);
  if (!('stream' in append)) {
    fail(append);
    return;
  }
  storeAppend(
    log,
    faults,
    append,
    cut,
    (admission) => {
      switch (admission.is) {
        case 'written':
        case 'repeat': {
          const response = responseTo(batch);
          response.setSuccess(batchSuccess(admission));
          return respond(response);
        }
        case 'wrong version':
          return fail(batchWrongVersion(batchWrongVersionDetails(append.expected, admission.actual)));
        case 'stream deleted':
          return fail(batchStreamDeleted(batch.options.getStreamIdentifier()));
        default:
          return admission satisfies never;
      }
    },
    () => fail(batchTimeout()),
  );
}

function parseBatch({ options, messages }: Batch): Append | BatchStatus {
  try {
    if (sum(messages.map((message) => message.getData_asU8().length)) > MAX_APPEND_BYTES)
      return batchTooLarge();
    const append = {
      stream: streamNameOf(options.getStreamIdentifier()),
      expected: expectedOf(options, options.getStreamPosition()),
      events: messages.map(proposalOf),
    };
    const deadline = options.getDeadline()?.toDate();
    return deadline !== undefined && deadline.getTime() < Date.now() ? batchTimeout() : append;
  } catch (error) {
    if (error instanceof BadRequestError) return batchBadRequest(error.message);
    throw error;
  }
}

function responseTo(batch: Batch): Response {
  const response = new streams.BatchAppendResp();
  if (batch.correlationId !== undefined) response.setCorrelationId(batch.correlationId);
  const identifier = batch.options.getStreamIdentifier();
  if (identifier !== undefined) response.setStreamIdentifier(identifier);
  return response;
}

function failure(batch: Batch, status: BatchStatus): Response {
  const response = responseTo(batch);
  response.setError(status);
  return response;
}
