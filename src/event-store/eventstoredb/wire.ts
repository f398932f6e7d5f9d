import shared from '@eventstore/db-client/generated/shared_pb.js';
import streams from '@eventstore/db-client/generated/streams_pb.js';
import type { NewEvent, Position, StoredEvent } from '../../events/stored-event.js';
import type { ExpectedRevision } from '../event-store.js';

/**
 * The protocol's messages, made and read with the definitions that the client ships. Data and metadata go as the bytes of
 * their text and come back so: the client's own events are parsed and written anew on the way, which a hash does not
 * survive (numbers beyond 2^53, the order of keys, white space).
 */

/** Where a read of `$all` begins: at a record whose position the server gave, or at an end of the log. */
export type From = Position | 'start' | 'end';

/** What came of an append that the server answered. `revision` is its last event's; `actual` null: no stream. */
export type AppendAnswer =
  | { readonly kind: 'appended'; readonly revision: number; readonly position: Position | null }
  | { readonly kind: 'wrong_revision'; readonly actual: number | null }
  | { readonly kind: 'empty' };

/** The messages of one append: where, then each event. */
export function appendRequests(
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): readonly streams.AppendReq[] {
  const options = new streams.AppendReq.Options().setStreamIdentifier(identifierOf(stream));
  if (expected === 'no_stream') options.setNoStream(new shared.Empty());
  else options.setRevision(String(expected));
  return [new streams.AppendReq().setOptions(options), ...events.map(proposed)];
}

function proposed(event: NewEvent): streams.AppendReq {
  const message = new streams.AppendReq.ProposedMessage()
    .setId(new shared.UUID().setString(event.id.toLowerCase()))
    .setData(Buffer.from(event.data, 'utf8'))
    .setCustomMetadata(Buffer.from(event.metadata, 'utf8'));
  message.getMetadataMap().set('type', event.type).set('content-type', 'application/json');
  return new streams.AppendReq().setProposedMessage(message);
}

export function appendAnswerOf(response: streams.AppendResp): AppendAnswer {
  const success = response.getSuccess();
  if (success !== undefined) {
    return {
      kind: 'appended',
      revision: Number(success.getCurrentRevision()),
      position: success.getPosition()?.getCommitPosition() ?? null,
    };
  }
  const wrong = response.getWrongExpectedVersion();
  if (wrong === undefined) return { kind: 'empty' };
  return {
    kind: 'wrong_revision',
    actual: wrong.hasCurrentRevision() ? Number(wrong.getCurrentRevision()) : null,
  };
}

/** Up to `count` events of a stream from `revision` on (inclusive). */
export function streamRequest(stream: string, revision: number, count: number): streams.ReadReq {
  const options = readOptions().setCount(String(count)).setNoFilter(new shared.Empty());
  options.setStream(
    new streams.ReadReq.Options.StreamOptions()
      .setStreamIdentifier(identifierOf(stream))
      .setRevision(String(revision)),
  );
  return new streams.ReadReq().setOptions(options);
}

/** The last event of a stream. */
export function lastOfStreamRequest(stream: string): streams.ReadReq {
  const options = readOptions().setCount('1').setReadDirection(1).setNoFilter(new shared.Empty());
  options.setStream(
    new streams.ReadReq.Options.StreamOptions()
      .setStreamIdentifier(identifierOf(stream))
      .setEnd(new shared.Empty()),
  );
  return new streams.ReadReq().setOptions(options);
}

/** Up to `count` records of the whole log; forwards from a position includes it, backwards does not. */
export function allRequest(from: From, count: number, direction: 'forwards' | 'backwards'): streams.ReadReq {
  const options = readOptions().setAll(allOptions(from)).setCount(String(count));
  options.setReadDirection(direction === 'forwards' ? 0 : 1).setNoFilter(new shared.Empty());
  return new streams.ReadReq().setOptions(options);
}

/** Every event from now on whose stream begins with `prefix`; with none, whose stream is not the server's own. */
export function subscribeRequest(prefix: string): streams.ReadReq {
  const expression = new streams.ReadReq.Options.FilterOptions.Expression();
  if (prefix === '') expression.setRegex('^[^$]');
  else expression.setPrefixList([prefix]);
  const filter = new streams.ReadReq.Options.FilterOptions()
    .setStreamIdentifier(expression)
    .setCount(new shared.Empty())
    .setCheckpointintervalmultiplier(CHECKPOINT_EVERY);
  const options = readOptions().setAll(allOptions('end')).setFilter(filter);
  options.setSubscription(new streams.ReadReq.Options.SubscriptionOptions());
  return new streams.ReadReq().setOptions(options);
}

/** Interval of checkpoints, in units of 32 records examined: they are of no use to a notifier, and each is a message. */
const CHECKPOINT_EVERY = 1_000;

/** The event in a message of a read or a subscription; `null` for every other message. */
export function eventOf(response: streams.ReadResp): StoredEvent | null {
  const event = response.getEvent()?.getEvent();
  if (event === undefined) return null;
  return {
    id: event.getId()?.getString() ?? '',
    stream: textOf(event.getStreamIdentifier()?.getStreamName_asU8() ?? new Uint8Array()),
    revision: Number(event.getStreamRevision()),
    position: event.getCommitPosition(),
    type: event.getMetadataMap().get('type') ?? '',
    data: textOf(event.getData_asU8()),
    metadata: textOf(event.getCustomMetadata_asU8()),
  };
}

function readOptions(): streams.ReadReq.Options {
  const ids = new streams.ReadReq.Options.UUIDOption().setString(new shared.Empty());
  return new streams.ReadReq.Options().setResolveLinks(false).setUuidOption(ids);
}

function allOptions(from: From): streams.ReadReq.Options.AllOptions {
  const options = new streams.ReadReq.Options.AllOptions();
  if (from === 'start') return options.setStart(new shared.Empty());
  if (from === 'end') return options.setEnd(new shared.Empty());
  // Commit and prepare are equal for every record (measured: README, 5): this protocol has no transactions.
  return options.setPosition(
    new streams.ReadReq.Options.Position().setCommitPosition(from).setPreparePosition(from),
  );
}

function identifierOf(stream: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8'));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
