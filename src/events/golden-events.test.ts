import { GOLDEN_EVENTS } from '../../test/support/golden-events.js';
import { parseEvent } from './event-envelope.js';
import { EVENT_TYPES } from './event-types.js';
import { sealEvent, type UnsealedEvent, verifyChain } from './hash-chain.js';

const versions = Object.values(EVENT_TYPES).map(({ type, schemaVersion }) => ({ type, schemaVersion }));

describe('The golden events', () => {
  it('are there for every type in every version it ever had (npm run record:event)', () => {
    const expected = versions.flatMap(({ type, schemaVersion }) =>
      Array.from({ length: schemaVersion }, (_, index) => `${type}.v${index + 1}`),
    );
    expect(GOLDEN_EVENTS.map(({ name }) => name).sort()).toEqual(expected.sort());
  });

  it.each(GOLDEN_EVENTS)('$name is read as it ever was', ({ name, stored, event, metadata }) => {
    const { stream, revision, position, id } = stored;
    expect(parseEvent(stored)).toEqual({ ...event, stream, revision, position, id, metadata });
    expect(`${stored.type}.v${metadata.schemaVersion}`).toBe(name);
  });

  it.each(GOLDEN_EVENTS)('$name has its hash and its id unbroken', ({ stored }) => {
    expect(verifyChain([stored])).toBeNull();
  });

  const ofToday = GOLDEN_EVENTS.filter(({ event, metadata }) =>
    versions.some(
      ({ type, schemaVersion }) => type === event.type && schemaVersion === metadata.schemaVersion,
    ),
  );
  it.each(ofToday)(
    '$name would be written with the same bytes, hash and id today',
    ({ stored, event, metadata }) => {
      const { stream, revision, position: _, ...bytes } = stored;
      const { prevHash, hash, ...metadataWithoutHashes } = metadata;
      const unsealed = {
        ...event,
        stream,
        revision,
        prevHash,
        metadataWithoutHashes,
        idKey: metadata.causationId ?? `${stream}@${revision}`,
      } as UnsealedEvent;
      expect(sealEvent(unsealed)).toEqual({ ...bytes, hash });
    },
  );
});
