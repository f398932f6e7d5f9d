import { z } from 'zod';
import { GOLDEN_EVENTS } from '../../test/support/golden-events.js';
import { randomFrom } from '../../test/support/lives.js';
import { Choice, type Json, mutated } from '../../test/support/mutations.js';
import { EVENT_TYPES } from './event-types.js';
import { eventMetadataSchema } from './metadata.js';
import { plainReader, textReader } from './plain-reader.js';

/** How often each value is bent; `PLAIN_SEED` repeats a run. */
const TIMES = Number(process.env.BENT_TIMES ?? 20);
const seed = Number(process.env.PLAIN_SEED ?? Date.now() % 1_000_000);

/** Holds that a reader gives what its schema gives, down to the order of keys, or nothing; tells whether it gave something. */
function isRead(schema: z.ZodType, value: unknown): boolean {
  const read = plainReader(schema)(value);
  if (read === undefined) return false;
  expect(JSON.stringify(read)).toBe(JSON.stringify(schema.parse(value)));
  return true;
}

const ofToday = GOLDEN_EVENTS.flatMap(({ name, event, metadata }) => {
  const definition = Object.values(EVENT_TYPES).find(({ type }) => type === event.type);
  const isOfToday = definition !== undefined && definition.schemaVersion === metadata.schemaVersion;
  return isOfToday ? [{ name, event, schema: definition.event }] : [];
});

describe('A plain reader', () => {
  it.each(ofToday)('reads $name as its schema does', ({ name, event, schema }) => {
    const isPlain = isRead(schema, event);
    // A default fills in what is not there, and a catalogue is checked as a whole: both are the schema's to do.
    if (name !== 'PlanCatalogPublished.v4') expect(isPlain).toBe(true);
  });

  it('says nothing of an event that its schema refuses, and nothing else of any other', () => {
    const choice = new Choice(randomFrom(seed));
    let read = 0;
    for (const { event, schema } of ofToday) {
      for (let time = 0; time < TIMES; time += 1) {
        const bent = mutated(event as Json, choice);
        try {
          if (isRead(schema, bent)) read += 1;
        } catch (cause) {
          throw new Error(`PLAIN_SEED=${seed}: ${JSON.stringify(bent).slice(0, 500)}`, { cause });
        }
      }
    }
    expect(read).toBeGreaterThan((ofToday.length * TIMES) / 60);
  });

  it('holds the same of metadata', () => {
    const choice = new Choice(randomFrom(seed));
    for (const { metadata } of GOLDEN_EVENTS) {
      expect(isRead(eventMetadataSchema, metadata)).toBe(true);
      for (let time = 0; time < TIMES; time += 1)
        isRead(eventMetadataSchema, mutated(metadata as Json, choice));
    }
    for (const recordedAt of [
      '2026-02-29T00:00:00.000Z',
      '2026-01-01T00:00:00Z',
      '2026-01-01T24:00:00.000Z',
      '',
    ]) {
      expect(isRead(eventMetadataSchema, { ...GOLDEN_EVENTS[0]?.metadata, recordedAt })).toBe(false);
    }
  });

  it.each([
    ['a text that is trimmed', z.string().trim(), ' a '],
    ['a text that is checked by a function', z.string().refine((text) => text !== 'a'), 'b'],
    ['a value that is made another', z.string().transform((text) => text.length), 'a'],
    ['an object that drops keys', z.object({ a: z.string() }), { a: 'a' }],
    ['an object that keeps unknown keys', z.looseObject({ a: z.string() }), { a: 'a' }],
    ['a value that is coerced', z.coerce.number(), 1],
    ['a list with a check of its own', z.array(z.string()).refine((list) => list.length > 1), ['a']],
    ['an object of another class', z.record(z.string(), z.string()), new Map([['a', 'a']])],
    ['a key that is a prototype', z.record(z.string(), z.number()), JSON.parse('{"__proto__":1}')],
    ['a number without an end', z.number(), Number.POSITIVE_INFINITY],
    ['an absent value with a default', z.strictObject({ a: z.boolean().default(true) }), {}],
  ])('leaves %s to the schema', (_, schema: z.ZodType, value) => {
    expect(plainReader(schema)(value)).toBeUndefined();
  });
});

describe('A reader of texts', () => {
  const schema = z.preprocess((text) => (text === 'old' ? 'new' : text), z.string());

  it('reads what is written today and before, and refuses the rest as its schema does', () => {
    const read = textReader<string>(schema, z.string().max(3));
    expect(['"new"', '"longer"'].map(read)).toEqual(['new', 'longer']);
    expect(textReader<string>(schema, z.literal('new'))('"old"')).toBe('new');
    expect(() => read('1')).toThrow(z.ZodError);
    expect(() => read('{')).toThrow(SyntaxError);
  });
});
