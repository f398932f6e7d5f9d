import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { EVENT_TYPES } from './event-types.js';
import { sealEvent, type UnsealedEvent, verifyChain } from './hash-chain.js';
import { parseEvent } from './recorded-event.js';

/**
 * `test/fixtures/events/<Type>.v<N>.json`: an event of each type in each schema version it ever had. `stored` is what
 * the log holds of it, byte for byte, and is never changed once it was written; `event` is how it is read today.
 */
const goldenSchema = z.strictObject({
  stored: z.strictObject({
    stream: z.string(),
    revision: z.number(),
    position: z.string(),
    id: z.string(),
    type: z.string(),
    data: z.string(),
    metadata: z.string(),
  }),
  event: z.strictObject({ type: z.string(), data: z.record(z.string(), z.unknown()) }),
});

const FOLDER = fileURLToPath(new URL('../../test/fixtures/events/', import.meta.url));

const golden = readdirSync(FOLDER).map((file) => {
  const { stored, event } = goldenSchema.parse(JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')));
  return { name: file.replace('.json', ''), stored, event, metadata: JSON.parse(stored.metadata) };
});

const versions = Object.values(EVENT_TYPES).map(({ type, schemaVersion }) => ({ type, schemaVersion }));

describe('the events of the past', () => {
  it('are there for every type in every version it ever had', () => {
    const expected = versions.flatMap(({ type, schemaVersion }) =>
      Array.from({ length: schemaVersion }, (_, index) => `${type}.v${index + 1}`),
    );
    expect(golden.map(({ name }) => name).sort()).toEqual(expected.sort());
  });

  it.each(golden)('$name is read as it ever was', ({ name, stored, event, metadata }) => {
    const { stream, revision, position, id } = stored;
    expect(parseEvent(stored)).toEqual({ ...event, stream, revision, position, id, metadata });
    expect(`${stored.type}.v${metadata.schemaVersion}`).toBe(name);
  });

  it.each(golden)('$name has its hash and its id unbroken', ({ stored }) => {
    expect(verifyChain([stored])).toBeNull();
  });

  const ofToday = golden.filter(({ event, metadata }) =>
    versions.some(
      ({ type, schemaVersion }) => type === event.type && schemaVersion === metadata.schemaVersion,
    ),
  );
  it.each(ofToday)(
    '$name would be written with the same bytes, hash and id today',
    ({ stored, event, metadata }) => {
      const { stream, revision, position: _, ...bytes } = stored;
      const { prevHash, hash, ...metadataWithoutHashes } = metadata;
      const idKey = metadata.causationId ?? `${stream}@${revision}`;
      const unsealed = {
        ...event,
        stream,
        revision,
        prevHash,
        metadataWithoutHashes,
        idKey,
      } as UnsealedEvent;
      expect(sealEvent(unsealed)).toEqual({ ...bytes, hash });
    },
  );
});
