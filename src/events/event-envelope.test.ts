import { z } from 'zod';
import { CorruptEventError, eventParser, parseEvent, UnknownEventTypeError } from './event-envelope.js';
import { GENESIS_HASH, sealEvent } from './hash-chain.js';
import type { StoredEvent } from './stored-event.js';
import { UnsupportedSchemaVersionError } from './upcasters.js';

const METADATA = {
  stripeEventId: 'evt_1',
  stripeEventType: 'customer.updated',
  stripeCreated: 1_793_526_000,
  apiVersion: null,
  livemode: false,
  correlationId: 'request-1',
  causationId: 'evt_1',
  actor: 'stripe',
  recordedAt: '2026-11-01T09:30:02.000Z',
  schemaVersion: 1,
};

/** A good event of the log, with `changes` done to it by someone. */
function stored(changes: Partial<StoredEvent> = {}): StoredEvent {
  const place = { stream: 'tenure.customer-cus_1', revision: 0 };
  const { hash: _, ...sealed } = sealEvent({
    type: 'CustomerObserved',
    data: { customer: 'cus_1', userId: 'u1' },
    ...place,
    prevHash: GENESIS_HASH,
    metadataWithoutHashes: METADATA,
    idKey: 'evt_1',
  });
  return { ...sealed, ...place, position: '7', ...changes };
}

/** The metadata of a good event as text, with `changes`. */
function metadataText(changes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...JSON.parse(stored().metadata), ...changes });
}

describe('an event of the log', () => {
  it('is read with where it stands and what stands beside it', () => {
    const event = stored();
    expect(parseEvent(event)).toEqual({
      type: 'CustomerObserved',
      data: { customer: 'cus_1', userId: 'u1' },
      stream: 'tenure.customer-cus_1',
      revision: 0,
      position: '7',
      id: event.id,
      metadata: JSON.parse(event.metadata),
    });
  });

  it.each(['CustomerAdored', 'toString', '__proto__', ''])(
    'of the unknown type "%s" is named with its place',
    (type) => {
      const read = () => parseEvent(stored({ type }));
      expect(read).toThrow(UnknownEventTypeError);
      expect(read).toThrow(expect.objectContaining({ code: 'unknown_event_type', type, position: '7' }));
    },
  );

  it.each<[string, Partial<StoredEvent>, string]>([
    ['data that is no JSON', { data: '{' }, 'data is not JSON'],
    ['data of no object', { data: 'null' }, 'data at data'],
    ['a field of another kind', { data: '{"customer":"cus_1","userId":5}' }, 'data at data.userId'],
    ['a field too few', { data: '{"userId":"u1"}' }, 'data at data.customer'],
    [
      'a field too many',
      { data: '{"customer":"cus_1","email":"secret@example.com","userId":"u1"}' },
      'data at data',
    ],
    ['metadata that is no JSON', { metadata: 'x' }, 'metadata is not JSON'],
    ['no actor', { metadata: metadataText({ actor: undefined }) }, 'metadata at actor'],
    [
      'a time without milliseconds',
      { metadata: metadataText({ recordedAt: '2026-11-01T09:30:02Z' }) },
      'metadata at recordedAt',
    ],
    [
      'a time of another zone',
      { metadata: metadataText({ recordedAt: '2026-11-01T09:30:02.000+01:00' }) },
      'metadata at recordedAt',
    ],
    ['a hash of capitals', { metadata: metadataText({ hash: 'A'.repeat(64) }) }, 'metadata at hash'],
    [
      'a schema version of zero',
      { metadata: metadataText({ schemaVersion: 0 }) },
      'metadata at schemaVersion',
    ],
    [
      'metadata of more than we write',
      { metadata: metadataText({ card: 'secret@example.com' }) },
      'metadata at (whole)',
    ],
  ])('with %s is corrupt, named with its place and without its values', (_, changes, problem) => {
    const read = () => parseEvent(stored(changes));
    expect(read).toThrow(CorruptEventError);
    expect(read).toThrow(expect.objectContaining({ code: 'corrupt_event', position: '7' }));
    expect(read).toThrow(problem);
    expect(read).not.toThrow('secret');
  });

  it('of a version that newer code wrote is refused', () => {
    const read = () => parseEvent(stored({ metadata: metadataText({ schemaVersion: 2 }) }));
    expect(read).toThrow(UnsupportedSchemaVersionError);
  });

  it('of an older version is upcast before today’s schema reads it', () => {
    const definition = {
      schemaVersion: 2,
      event: z.strictObject({
        type: z.literal('CustomerObserved'),
        data: z.strictObject({ owner: z.string() }),
      }),
    };
    const parse = eventParser(
      { CustomerObserved: definition },
      new Map([
        ['CustomerObserved', new Map([[1, (data) => ({ owner: Reflect.get(Object(data), 'userId') })]])],
      ]),
    );
    expect(parse(stored())).toMatchObject({ data: { owner: 'u1' }, metadata: { schemaVersion: 1 } });
    expect(() => parse(stored({ metadata: metadataText({ schemaVersion: 2 }) }))).toThrow(CorruptEventError);
  });
});
