import { hash as digest } from 'node:crypto';
import { parse as uuidBytes } from 'uuid';
import { canonicalJson, sha256Hex } from './canonical-json.js';
import { type ChainedMetadata, readMetadata } from './chained-metadata.js';
import type { DomainEvent } from './event-types.js';
import type { EventMetadata } from './metadata.js';
import type { NewEvent, StoredEvent } from './stored-event.js';

/** `prevHash` of the first event of a stream. */
export const GENESIS_HASH = '0'.repeat(64);

/** Namespace of all event ids. It must never change: ids of the past are made with it. */
export const EVENT_ID_NAMESPACE = '9dddd3f5-9d66-4c3b-a780-ff1065c30129';

const NAMESPACE_BYTES = uuidBytes(EVENT_ID_NAMESPACE);

export type MetadataWithoutHashes = Omit<EventMetadata, 'prevHash' | 'hash'>;

/**
 * An event about to be appended at exactly `revision` of `stream`. `prevHash` is the hash of the event before it there,
 * GENESIS_HASH for the first. `idKey` is the Stripe event id; for what is not from Stripe the caller's
 * `Idempotency-Key`, or what the event is about.
 */
export type UnsealedEvent = DomainEvent & {
  readonly stream: string;
  readonly revision: number;
  readonly prevHash: string;
  readonly metadataWithoutHashes: MetadataWithoutHashes;
  readonly idKey: string;
};

/** An event ready to append; `hash` is the `prevHash` of the one after it. */
export interface SealedEvent extends NewEvent {
  readonly hash: string;
}

/**
 * Fixes an event for ever: canonical texts, hash and id (DESIGN 4, "Hash chain"). The hash covers `metadata` with its
 * `prevHash` and without its `hash`. Equal ids mean equal events, byte for byte.
 * @throws NotCanonicalError when a string holds a lone surrogate or a value is not JSON
 */
export function sealEvent(event: UnsealedEvent): SealedEvent {
  const { stream, revision, prevHash, type } = event;
  const data = canonicalJson(event.data);
  const { before, after } = metadataAroundHash(event.metadataWithoutHashes, prevHash);
  const hash = sha256Hex(
    hashInput({ stream, revision, prevHash, type, data, metadata: `${before},${after}` }),
  );
  return {
    id: eventId(event.idKey, hash),
    type,
    data,
    metadata: `${before},"hash":"${hash}",${after}`,
    hash,
  };
}

/** The canonical text of metadata in two parts, between which its hash stands: it is written once, and not again with the hash. */
function metadataAroundHash(
  { actor, apiVersion, causationId, correlationId, ...others }: MetadataWithoutHashes,
  prevHash: string,
): { readonly before: string; readonly after: string } {
  const first = canonicalJson({ actor, apiVersion, causationId, correlationId });
  const rest = canonicalJson({ ...others, prevHash });
  return { before: first.slice(0, -1), after: rest.slice(1) };
}

/**
 * UUIDv5 (RFC 9562, 5.5) of `{idKey}/{hash}` in our namespace. `idKey` must be well-formed. Written by hand because every event
 * of a log that is verified has one; a property test holds it equal to the `uuid` package.
 */
export function eventId(idKey: string, hash: string): string {
  canonicalJson(idKey);
  const digits = digest('sha1', namedBytes(`${idKey}/${hash}`), 'hex');
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 0b0011) | 0b1000).toString(16);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-5${digits.slice(13, 16)}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** The namespace and a name, filled anew for each; a view of it serves all names of one length, as those of Stripe's ids are. */
let named = Buffer.from(NAMESPACE_BYTES);

function namedBytes(name: string): Buffer {
  const bytes = NAMESPACE_BYTES.length + Buffer.byteLength(name);
  if (named.length !== bytes) named = Buffer.concat([NAMESPACE_BYTES], bytes);
  named.write(name, NAMESPACE_BYTES.length);
  return named;
}

/** The pieces a hash is made of; `data` and `metadata` (without its hash) are canonical JSON texts already. */
export interface HashedPieces {
  readonly stream: string;
  readonly revision: number;
  readonly prevHash: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
}

/**
 * Canonical JSON of `{prevHash, stream, revision, type, data, metadata}`, put together from texts that are canonical
 * already (keys in sorted order), so that nothing large is written twice.
 */
export function hashInput(pieces: HashedPieces): string {
  const { data, metadata, prevHash, revision, stream, type } = pieces;
  return `{"data":${data},"metadata":${metadata},"prevHash":${canonicalJson(prevHash)},"revision":${canonicalJson(revision)},"stream":${canonicalJson(stream)},"type":${canonicalJson(type)}}`;
}

/** What is wrong with an event of a chain; `metadata`: not canonical JSON, or without its links. */
export type BrokenLinkReason = 'stream' | 'revision' | 'metadata' | 'prev_hash' | 'hash' | 'id';

export interface BrokenLink {
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
  readonly reason: BrokenLinkReason;
}

interface Link {
  readonly stream: string;
  readonly revision: number;
  readonly hash: string;
}

/**
 * Checks events of one stream, in order and without a gap, against their hash chain. They may start anywhere in the
 * stream; the link of the first to what is before it is checked when it is revision 0. Ids are checked where they come
 * from Stripe, whose event id the metadata holds.
 * @returns the first broken link, or null
 */
export function verifyChain(events: readonly StoredEvent[]): BrokenLink | null {
  let before: Link | null = null;
  for (const event of events) {
    const { stream, revision, position } = event;
    const links = checkedLinks(event, before);
    if (typeof links === 'string') return { stream, revision, position, reason: links };
    before = { stream, revision, hash: links.hash };
  }
  return null;
}

/** What joins an event to the others of its stream: the hash of the one before it, and its own. */
export interface EventLinks {
  readonly prevHash: string;
  readonly hash: string;
}

/**
 * The links of an event whose hash, id and first link follow from what it holds, or what is wrong with it by itself. Whether it
 * follows the event before it is not looked at.
 */
export function linksOf(event: Omit<StoredEvent, 'position'>): EventLinks | BrokenLinkReason {
  return checkedLinks(event, null);
}

function checkedLinks(
  event: Omit<StoredEvent, 'position'>,
  before: Link | null,
): EventLinks | BrokenLinkReason {
  const metadata = readMetadata(event.metadata);
  return metadata === null ? 'metadata' : (brokenReason(event, metadata, before) ?? metadata);
}

function brokenReason(
  event: Omit<StoredEvent, 'position'>,
  metadata: ChainedMetadata,
  before: Link | null,
): BrokenLinkReason | null {
  const { stream, revision, type, data } = event;
  if (before !== null && stream !== before.stream) return 'stream';
  if (before !== null && revision !== before.revision + 1) return 'revision';

  const { hash, unhashed, stripeEventId } = metadata;
  const prevHash = before?.hash ?? (revision === 0 ? GENESIS_HASH : metadata.prevHash);
  if (metadata.prevHash !== prevHash) return 'prev_hash';
  if (sha256Hex(hashInput({ stream, revision, prevHash, type, data, metadata: unhashed })) !== hash)
    return 'hash';
  if (stripeEventId !== null && eventId(stripeEventId, hash) !== event.id) return 'id';
  return null;
}
