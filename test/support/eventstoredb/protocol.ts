import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { EventLog } from './log.js';
import {
  DELETED_STREAM_REVISION,
  type Expected,
  LINK_TYPE,
  type LogRecord,
  type ProposedEvent,
} from './records.js';

/** Between what travels and what the log knows. */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TICKS_PER_MS = 10_000n;

/** A request that is no request: an id that is no UUID, a name that is empty. */
export class BadRequestError extends Error {}

type ProposedMessage =
  | InstanceType<typeof streams.AppendReq.ProposedMessage>
  | InstanceType<typeof streams.BatchAppendReq.ProposedMessage>;

interface ExpectedOptions {
  hasAny(): boolean;
  hasNoStream(): boolean;
  hasStreamExists(): boolean;
}

/** `exact` is the revision field of the request, which is named differently from request to request. */
export function expectedOf(options: ExpectedOptions, exact: string): Expected {
  if (options.hasAny()) return 'any';
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasStreamExists()) return 'stream_exists';
  return Number(exact);
}

/** The number that stands for an expectation in messages and headers. */
export function expectedNumber(expected: Expected): number {
  if (typeof expected === 'number') return expected;
  return { no_stream: -1, any: -2, stream_exists: -4 }[expected];
}

/** Name of a stream. @throws BadRequestError when it is empty */
export function streamNameOf(identifier: InstanceType<typeof shared.StreamIdentifier> | undefined): string {
  const name = Buffer.from(identifier?.getStreamName_asU8() ?? []).toString('utf8');
  if (name === '') throw new BadRequestError('stream name is empty');
  return name;
}

export function streamIdentifier(name: string): InstanceType<typeof shared.StreamIdentifier> {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(name));
  return identifier;
}

/** @throws BadRequestError when the id is no UUID or the type is empty */
export function proposalOf(message: ProposedMessage): ProposedEvent {
  const id = message.getId()?.getString().toLowerCase() ?? '';
  const type = message.getMetadataMap().get('type') ?? '';
  if (!UUID.test(id)) throw new BadRequestError('event id is not a UUID');
  if (type === '') throw new BadRequestError('event type is empty');
  return {
    id,
    type,
    contentType: message.getMetadataMap().get('content-type') ?? 'application/octet-stream',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

const encoded = new WeakMap<LogRecord, Uint8Array>();

/** The read response that carries `record`, as bytes; `$>` links are followed when `resolveLinks` is asked for. */
export function encodeEvent(log: EventLog, record: LogRecord, links: 'resolve' | 'leave'): Uint8Array {
  if (links === 'resolve' && record.type === LINK_TYPE) return readEvent(linkTarget(log, record), record);
  const known = encoded.get(record);
  if (known !== undefined) return known;
  const bytes = readEvent(record, undefined);
  encoded.set(record, bytes);
  return bytes;
}

/** A link's data is `revision@stream`. */
function linkTarget(log: EventLog, link: LogRecord): LogRecord | undefined {
  const [, revision, stream] = /^(\d+)@(.+)$/s.exec(Buffer.from(link.data).toString('utf8')) ?? [];
  if (revision === undefined || stream === undefined) return undefined;
  const view = log.view(stream);
  const place = Number(revision);
  return view.is === 'there' && place >= view.first && place <= view.last ? view.records[place] : undefined;
}

function readEvent(event: LogRecord | undefined, link: LogRecord | undefined): Uint8Array {
  const message = new streams.ReadResp.ReadEvent();
  if (event !== undefined) message.setEvent(recordedEvent(event));
  if (link !== undefined) message.setLink(recordedEvent(link));
  message.setCommitPosition(String((link ?? event)?.position ?? 0));
  const response = new streams.ReadResp();
  response.setEvent(message);
  return response.serializeBinary();
}

function recordedEvent(record: LogRecord): InstanceType<typeof streams.ReadResp.ReadEvent.RecordedEvent> {
  const message = new streams.ReadResp.ReadEvent.RecordedEvent();
  const id = new shared.UUID();
  id.setString(record.id);
  message.setId(id);
  message.setStreamIdentifier(streamIdentifier(record.stream));
  message.setStreamRevision(record.kind === 'tombstone' ? DELETED_STREAM_REVISION : String(record.revision));
  message.setCommitPosition(String(record.position));
  message.setPreparePosition(String(record.position));
  message.getMetadataMap().set('type', record.type);
  message.getMetadataMap().set('content-type', record.contentType);
  message.getMetadataMap().set('created', String(BigInt(record.createdMs) * TICKS_PER_MS));
  message.setCustomMetadata(record.metadata);
  message.setData(record.data);
  return message;
}

export function streamNotFound(name: string): InstanceType<typeof streams.ReadResp> {
  const notFound = new streams.ReadResp.StreamNotFound();
  notFound.setStreamIdentifier(streamIdentifier(name));
  const response = new streams.ReadResp();
  response.setStreamNotFound(notFound);
  return response;
}

export function confirmation(subscriptionId: string): InstanceType<typeof streams.ReadResp> {
  const confirmed = new streams.ReadResp.SubscriptionConfirmation();
  confirmed.setSubscriptionId(subscriptionId);
  const response = new streams.ReadResp();
  response.setConfirmation(confirmed);
  return response;
}

export function caughtUp(): InstanceType<typeof streams.ReadResp> {
  const response = new streams.ReadResp();
  response.setCaughtUp(new streams.ReadResp.CaughtUp());
  return response;
}

export function checkpoint(commit: number, prepare: number): InstanceType<typeof streams.ReadResp> {
  const reached = new streams.ReadResp.Checkpoint();
  reached.setCommitPosition(String(commit));
  reached.setPreparePosition(String(prepare));
  const response = new streams.ReadResp();
  response.setCheckpoint(reached);
  return response;
}
