import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';
import { readAnyMetadata, readMetadata } from './chained-metadata.js';

const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.stringMatching(/^[ -~]{0,20}$/),
  fc.constant('"\\u0000\\"'),
);
const textOrNull = fc.option(text);
const number = fc.oneof(fc.maxSafeNat(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));

const usual = fc.record({
  actor: text,
  apiVersion: textOrNull,
  causationId: textOrNull,
  correlationId: text,
  hash,
  livemode: fc.option(fc.boolean()),
  prevHash: hash,
  recordedAt: text,
  schemaVersion: number,
  stripeCreated: fc.option(number),
  stripeEventId: textOrNull,
  stripeEventType: textOrNull,
});

describe('The metadata of an event', () => {
  it('is read at one look as it is read part by part, whatever it holds and however it is spelled', () => {
    const written = fc.oneof(
      usual.map(canonicalJson),
      fc
        .record({ usual, more: fc.dictionary(text, fc.jsonValue()) })
        .map((each) => canonicalJson({ ...each.more, ...each.usual })),
      usual.map((metadata) => JSON.stringify(metadata, null, 1)),
      fc
        .record({ usual, at: fc.nat(600), by: fc.stringMatching(/^[ -~]?$/) })
        .map(({ usual: metadata, at, by }) => {
          const whole = canonicalJson(metadata);
          return whole.slice(0, at) + by + whole.slice(at + 1);
        }),
    );
    fc.assert(
      fc.property(written, (each) => {
        expect(readMetadata(each)).toEqual(readAnyMetadata(each));
      }),
      { numRuns: 2_000 },
    );
  });
});
