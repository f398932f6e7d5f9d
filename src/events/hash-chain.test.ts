import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { v5 } from 'uuid';
import type { DomainEvent } from './event-types.js';
import {
  type BrokenLinkReason,
  EVENT_ID_NAMESPACE,
  eventId,
  GENESIS_HASH,
  type MetadataWithoutHashes,
  sealEvent,
  type UnsealedEvent,
  verifyChain,
} from './hash-chain.js';
import type { StoredEvent } from './stored-event.js';

const STREAM = 'tenure.customer-cus_1';

function metadata(changes: Partial<MetadataWithoutHashes> = {}): MetadataWithoutHashes {
  return {
    stripeEventId: 'evt_1',
    stripeEventType: 'customer.updated',
    stripeCreated: 1_793_526_000,
    apiVersion: '2026-10-28.endive',
    livemode: false,
    correlationId: 'request-1',
    causationId: 'evt_1',
    actor: 'stripe',
    recordedAt: '2026-11-01T09:30:02.000Z',
    schemaVersion: 1,
    ...changes,
  };
}

function observed(userId: string | null): DomainEvent {
  return { type: 'CustomerObserved', data: { customer: 'cus_1', userId } };
}

const FIRST: UnsealedEvent = {
  ...observed('u1'),
  stream: STREAM,
  revision: 0,
  prevHash: GENESIS_HASH,
  metadataWithoutHashes: metadata(),
  idKey: 'evt_1',
};

/** RFC 9562, 5.5, without the package that the code uses. */
function uuidV5(name: string, namespace: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex', 0, 16).replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
}

/** A stream of `length` sealed events, as a store gives it back. Event n comes from the Stripe event `evt_n`. */
function chain(length: number, stream = STREAM): StoredEvent[] {
  const events: StoredEvent[] = [];
  let prevHash = GENESIS_HASH;
  for (let revision = 0; revision < length; revision += 1) {
    const stripeEventId = `evt_${revision}`;
    const { hash, ...sealed } = sealEvent({
      ...observed(`u${revision}`),
      stream,
      revision,
      prevHash,
      metadataWithoutHashes: metadata({ stripeEventId, causationId: stripeEventId }),
      idKey: stripeEventId,
    });
    events.push({ ...sealed, stream, revision, position: String(revision + 1) });
    prevHash = hash;
  }
  return events;
}

/** The chain with its event at `index` changed. */
function edited(index: number, change: (event: StoredEvent) => Partial<StoredEvent>): StoredEvent[] {
  return chain(4).map((event, at) => (at === index ? { ...event, ...change(event) } : event));
}

const text = (): fc.Arbitrary<string> => fc.string({ unit: 'binary', minLength: 1 });

describe('the seal of an event', () => {
  it('is the SHA-256 of the canonical JSON of all it says, and an id made of it', () => {
    fc.assert(
      fc.property(text(), text(), text(), fc.nat(), (idKey, userId, correlationId, revision) => {
        const event = observed(userId);
        const metadataWithoutHashes = metadata({ correlationId });
        const prevHash = 'a'.repeat(64);
        const sealed = sealEvent({
          ...event,
          stream: STREAM,
          revision,
          prevHash,
          metadataWithoutHashes,
          idKey,
        });
        const unhashed = { ...metadataWithoutHashes, prevHash };
        const hashed =
          canonicalize({ prevHash, stream: STREAM, revision, ...event, metadata: unhashed }) ?? '';
        const hash = createHash('sha256').update(hashed, 'utf8').digest('hex');
        expect(sealed).toEqual({
          id: uuidV5(`${idKey}/${hash}`, EVENT_ID_NAMESPACE),
          type: event.type,
          data: canonicalize(event.data),
          metadata: canonicalize({ ...unhashed, hash }),
          hash,
        });
      }),
    );
  });

  it('does not depend on the order in which the fields were given', () => {
    const data = { userId: 'u1', customer: 'cus_1' };
    const backwards = Object.fromEntries(Object.entries(metadata()).reverse()) as MetadataWithoutHashes;
    expect(sealEvent({ ...FIRST, type: 'CustomerObserved', data, metadataWithoutHashes: backwards })).toEqual(
      sealEvent(FIRST),
    );
  });

  it.each<[string, Partial<UnsealedEvent>]>([
    ['type', { type: 'CustomerDeleted' }],
    ['data', { data: { customer: 'cus_1', userId: 'u2' } }],
    ['stream', { stream: `${STREAM}0` }],
    ['revision', { revision: 1 }],
    ['predecessor', { prevHash: '1'.repeat(64) }],
    ['writer’s clock', { metadataWithoutHashes: metadata({ recordedAt: '2026-11-01T09:30:02.001Z' }) }],
    ['Stripe event in the metadata', { metadataWithoutHashes: metadata({ stripeEventId: 'evt_2' }) }],
    ['actor', { metadataWithoutHashes: metadata({ actor: 'ops' }) }],
  ])('is another for another %s', (_, change) => {
    const other = sealEvent({ ...FIRST, ...change } as UnsealedEvent);
    expect(other.hash).not.toBe(sealEvent(FIRST).hash);
    expect(other.id).not.toBe(sealEvent(FIRST).id);
  });

  it('has another id, and the same hash, for another key', () => {
    const other = sealEvent({ ...FIRST, idKey: 'evt_2' });
    expect(other.hash).toBe(sealEvent(FIRST).hash);
    expect(other.id).not.toBe(sealEvent(FIRST).id);
  });

  it('has an id as RFC 9562 makes one of a name, which another implementation makes alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[0-9a-f]{64}$/), (key, hash) => {
        expect(eventId(key, hash)).toBe(v5(`${key}/${hash}`, EVENT_ID_NAMESPACE));
      }),
    );
  });

  it('cannot be put on a lone surrogate, in the key neither', () => {
    expect(() => sealEvent({ ...FIRST, ...observed('\ud800') } as UnsealedEvent)).toThrow('lone surrogate');
    expect(() => eventId('evt_\ud800', GENESIS_HASH)).toThrow('lone surrogate');
  });
});

describe('a hash chain', () => {
  it('is whole from its beginning, from anywhere in it, and when nothing is there', () => {
    expect(verifyChain(chain(4))).toBeNull();
    expect(verifyChain(chain(4).slice(2))).toBeNull();
    expect(verifyChain([])).toBeNull();
  });

  const rewrite = (event: StoredEvent, change: Readonly<Record<string, unknown>>): Partial<StoredEvent> => ({
    metadata: canonicalize({ ...JSON.parse(event.metadata), ...change }) ?? '',
  });
  const [one, two, three, four] = chain(4) as [StoredEvent, StoredEvent, StoredEvent, StoredEvent];
  const forged = sealEvent({ ...FIRST, ...observed('thief') } as UnsealedEvent);

  it.each<[string, readonly StoredEvent[], BrokenLinkReason, number]>([
    ['its data was edited', edited(1, ({ data }) => ({ data: data.replace('u1', 'u9') })), 'hash', 1],
    ['its type was changed', edited(1, () => ({ type: 'CustomerDeleted' })), 'hash', 1],
    ['its actor was changed', edited(1, (event) => rewrite(event, { actor: 'ops' })), 'hash', 1],
    [
      'its time was changed',
      edited(3, (event) => rewrite(event, { recordedAt: '2020-01-01T00:00:00.000Z' })),
      'hash',
      3,
    ],
    ['a field was added to its metadata', edited(1, (event) => rewrite(event, { note: 'x' })), 'hash', 1],
    ['its hash was replaced', edited(1, (event) => rewrite(event, { hash: '1'.repeat(64) })), 'hash', 1],
    ['its predecessor was forged with a good seal', [{ ...one, ...forged }, two], 'prev_hash', 1],
    [
      'it is the first and says it is not',
      edited(0, (event) => rewrite(event, { prevHash: '1'.repeat(64) })),
      'prev_hash',
      0,
    ],
    [
      'its metadata was spelled otherwise',
      edited(1, ({ metadata }) => ({ metadata: ` ${metadata}` })),
      'metadata',
      1,
    ],
    ['its metadata is no JSON', edited(1, () => ({ metadata: '{' })), 'metadata', 1],
    ['its metadata has no hash', edited(1, (event) => rewrite(event, { hash: undefined })), 'metadata', 1],
    ['the one before it is missing', [one, three, four], 'revision', 2],
    ['it comes twice', [one, two, two], 'revision', 1],
    ['it was swapped with the next', [one, three, two, four], 'revision', 2],
    ['it belongs to another stream', [one, { ...two, stream: 'tenure.customer-cus_2' }], 'stream', 1],
    ['it was moved to another stream alone', [{ ...one, stream: 'tenure.customer-cus_2' }], 'hash', 0],
    ['its id is another event’s', edited(2, () => ({ id: one.id })), 'id', 2],
  ])('is broken where %s', (_, events, reason, revision) => {
    expect(verifyChain(events)).toMatchObject({ reason, revision });
  });

  it('is broken by any other byte of data', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.nat(), fc.integer({ min: 0x20, max: 0x7e }), (index, place, code) => {
        const events = edited(index, ({ data }) => {
          const at = place % data.length;
          const byte = String.fromCharCode(code);
          return { data: data.slice(0, at) + byte + data.slice(at + 1) };
        });
        const same = events[index]?.data === chain(4)[index]?.data;
        expect(verifyChain(events)?.revision).toBe(same ? undefined : index);
      }),
    );
  });
});
