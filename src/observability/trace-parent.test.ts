import { appendSpanOf, correlationPrefix, readTraceParent, traceOf } from './trace-parent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('A traceparent header', () => {
  it('is read as W3C Trace Context writes it', () => {
    expect(readTraceParent(`00-${TRACE}-${SPAN}-01`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      isSampled: true,
    });
    expect(readTraceParent(`00-${TRACE}-${SPAN}-00`)).toMatchObject({ isSampled: false });
    expect(readTraceParent(`cc-${TRACE}-${SPAN}-03-of the future`)).toMatchObject({ isSampled: true });
  });

  it.each([
    undefined,
    '',
    [`00-${TRACE}-${SPAN}-01`],
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])('is as if it had not come where it is %j', (header) => {
    expect(readTraceParent(header)).toBeNull();
  });
});

describe('The trace of a correlation id', () => {
  it("is the caller's, with what the caller decided, where the id begins with it", () => {
    for (const isSampled of [true, false]) {
      const id = `${correlationPrefix({ traceId: TRACE, spanId: SPAN, isSampled })}abc-1`;
      expect(traceOf(id)).toEqual({ traceId: TRACE, isSampled });
    }
  });

  it('is made of any other id, always the same, and another for another id', () => {
    const made = traceOf('request-1');
    expect(made).toEqual({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), isSampled: null });
    expect(traceOf('request-1')).toEqual(made);
    expect(traceOf('request-2').traceId).not.toBe(made.traceId);
    expect(appendSpanOf('event-1')).toMatch(/^[0-9a-f]{16}$/);
    expect(appendSpanOf('event-1')).not.toBe(appendSpanOf('event-2'));
  });
});
