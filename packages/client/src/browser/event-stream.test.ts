import fc from 'fast-check';
import { EventStreamReader } from './event-stream.js';

function readAll(pieces: readonly string[]) {
  const reader = new EventStreamReader();
  return { events: pieces.flatMap((piece) => reader.read(piece)), reader };
}

describe('A stream of events', () => {
  const TEXT =
    'retry: 2500\n:heartbeat\nevent: change\nid: 7\ndata: {"a":\r\ndata: 1}\r\n\r\ndata\n\nevent: none\n\nid: x\0y\rdata:  two\r\rdata: cut';
  const EVENTS = [
    { type: 'change', data: '{"a":\n1}', id: '7' },
    { type: 'message', data: '', id: '7' },
    { type: 'message', data: ' two', id: '7' },
  ];

  it('is read as HTML says, with lines ended in three ways, comments, and what is cut at its end left out', () => {
    const { events, reader } = readAll([TEXT]);
    expect(events).toEqual(EVENTS);
    expect(reader.retryMs).toBe(2_500);
  });

  it('is read alike in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(TEXT.length), { maxLength: 12 }), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), TEXT.length];
        const pieces = at.slice(1).map((end, index) => TEXT.slice(at[index], end));
        expect(readAll(pieces).events).toEqual(EVENTS);
      }),
    );
  });

  it('is given up when a line does not end', () => {
    expect(() => readAll(['data: ', 'x'.repeat(1_000_001)])).toThrow('too long');
  });
});
