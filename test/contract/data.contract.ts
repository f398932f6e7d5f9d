import { EventTooLargeError, InvalidEventError } from '../../src/event-store/errors.js';
import type { NewEvent } from '../../src/events/stored-event.js';
import { newEvent, newEvents, newStream, type OpenStores } from './contract-events.js';

const LIMIT = 1_048_576;

/** A JSON text of exactly `bytes` ASCII bytes. */
function textOf(bytes: number): string {
  return `"${'x'.repeat(bytes - 2)}"`;
}

/** Big, odd and unstorable data. */
export function describeData(stores: () => OpenStores): void {
  describe('data', () => {
    it.each<[string, string]>([
      ['an escaped U+0000', String.raw`{"nul":"a\u0000b"}`],
      [
        'numbers no double can hold',
        '{"n":9007199254740993,"big":123456789012345678901234567890,"f":1.10,"e":1E400}',
      ],
      ['keys in an order of their own, twice', '{"b":1,"a":2,"b":3,"__proto__":{"x":1}}'],
      ['spaces and line ends', ' { "a" :\r\n\t1 } '],
      ['text beyond the first plane', '{"emoji":"👩‍👩‍👧","han":"漢","combining":"e\u0301","bom":"\ufeff"}'],
      ['quotes, backslashes, braces and commas', String.raw`{"a":"\"\\{},NULL'\\\\\"","b":[null,"NULL",""]}`],
      ['an escaped lone surrogate', String.raw`"\ud800"`],
      ['control characters as they are', '"\u0001\u0002\u0001\u0001\u0002\u007f"'],
      ['a scalar', '0'],
    ])('keeps %s byte for byte', async (_, text) => {
      const { store, secondStore } = stores();
      const stream = newStream();
      const event = newEvent({ data: text, metadata: text });
      await store.append(stream, 'no_stream', [event, newEvent(), newEvent({ data: text })]);
      const read = await secondStore.read(stream, 0);
      expect(read[0]).toMatchObject({ ...event, stream, revision: 0 });
      expect(read[2]?.data).toBe(text);
    });

    it('keeps odd stream names and types', async () => {
      const { store } = stores();
      const stream = `${newStream()} ü/漢"'\\,{}`;
      const type = `Ödd "type" '\\,{} 👩`;
      await store.append(stream, 'no_stream', [newEvent({ type })]);
      expect(await store.read(stream, 0)).toMatchObject([{ stream, type }]);
    });

    it('takes names of 1000 characters', async () => {
      const { store } = stores();
      const stream = newStream().padEnd(1_000, '0123456789abcdef');
      const type = 'T'.padEnd(1_000, '0123456789abcdef');
      await store.append(stream, 'no_stream', [newEvent({ type })]);
      expect(await store.read(stream, 0)).toMatchObject([{ stream, type }]);
    });

    it.each<[string, Partial<NewEvent>]>([
      ['a lone surrogate in the data', { data: '"\ud800"' }],
      ['a lone surrogate in the metadata', { metadata: '"\udfff x"' }],
      ['a lone surrogate in the type', { type: 'T\udc00' }],
      ['a raw U+0000 in the data', { data: '"\0"' }],
      ['a raw U+0000 in the metadata', { metadata: '"\0"' }],
      ['a raw U+0000 in the type', { type: 'T\0' }],
      ['no type', { type: '' }],
      ['a type over 1000 characters', { type: 'T'.repeat(1_001) }],
      ['an id that is no UUID', { id: 'evt_1' }],
    ])('refuses an event with %s, and all that came with it', async (_, given) => {
      const { store } = stores();
      const stream = newStream();
      const append = store.append(stream, 'no_stream', [newEvent(), newEvent(given)]);
      await expect(append).rejects.toBeInstanceOf(InvalidEventError);
      expect(await store.read(stream, 0)).toEqual([]);
    });

    it.each<[string, string]>([
      ['no name', ''],
      ['a lone surrogate in its name', 's-\ud800'],
      ['a raw U+0000 in its name', 's-\0'],
      ['a name over 1000 characters', 's'.repeat(1_001)],
    ])('refuses a stream with %s', async (_, stream) => {
      await expect(stores().store.append(stream, 'no_stream', newEvents(1))).rejects.toBeInstanceOf(
        InvalidEventError,
      );
    });

    it('refuses an append of nothing', async () => {
      await expect(stores().store.append(newStream(), 'no_stream', [])).rejects.toBeInstanceOf(
        InvalidEventError,
      );
    });

    it('takes 1 MiB of data, in one event or in several, whatever the metadata weighs', async () => {
      const { store } = stores();
      const stream = newStream();
      const one = newEvent({ data: textOf(LIMIT), metadata: textOf(200_000) });
      const halves = [newEvent({ data: textOf(LIMIT / 2) }), newEvent({ data: textOf(LIMIT / 2) })];
      await store.append(stream, 'no_stream', [one]);
      await store.append(stream, 0, halves);
      const read = await store.read(stream, 0);
      expect(read.map((event) => event.data.length)).toEqual([LIMIT, LIMIT / 2, LIMIT / 2]);
      expect(read[0]?.data === one.data && read[0].metadata === one.metadata).toBe(true);
    });

    it.each<[string, NewEvent[]]>([
      ['one event', [newEvent({ data: textOf(LIMIT + 1) })]],
      ['several events', [newEvent({ data: textOf(LIMIT) }), newEvent({ data: '0' })]],
      ['bytes, not characters', [newEvent({ data: `"${'é'.repeat(LIMIT / 2)}"` })]],
    ])('refuses more than 1 MiB of data: %s', async (_, events) => {
      const { store } = stores();
      const stream = newStream();
      await expect(store.append(stream, 'no_stream', events)).rejects.toBeInstanceOf(EventTooLargeError);
      expect(await store.read(stream, 0)).toEqual([]);
    });
  });
}
