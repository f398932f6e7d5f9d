import { createHash } from 'node:crypto';

/** A span that others may be children of, as W3C Trace Context names it: 32 and 16 lower-case hexadecimal digits. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** The trace of a correlation id. `isSampled` is what the caller decided; `null` where nobody did. */
export interface CorrelatedTrace {
  readonly traceId: string;
  readonly isSampled: boolean | null;
}

/** W3C Trace Context, "traceparent Header": later versions may have more fields. */
const HEADER = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** What a request id begins with whose caller sent a `traceparent`. */
const CORRELATED = /^(?!0{32})([0-9a-f]{32})-(0[01])-/;
const SAMPLED = 1;

/** Reads a `traceparent` header; `null` where there is none that can be read, which is then as if none had come. */
export function readTraceParent(header: string | readonly string[] | undefined): TraceParent | null {
  const [, version, traceId, spanId, flags, rest] = (typeof header === 'string' && HEADER.exec(header)) || [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  if (version === '00' && rest !== undefined) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** What the id of a request begins with whose caller sent this: by it the trace is found from the event on. */
export function correlationPrefix({ traceId, isSampled }: TraceParent): string {
  return `${traceId}-${isSampled ? '01' : '00'}-`;
}

/**
 * The trace that a correlation id belongs to: the caller's where the id begins with one, else one made of the id. So whoever
 * reads an event, in whatever process and however late, knows the trace of the request that made it.
 */
export function traceOf(correlationId: string): CorrelatedTrace {
  const [, traceId, flags] = CORRELATED.exec(correlationId) ?? [];
  if (traceId !== undefined) return { traceId, isSampled: flags === '01' };
  return { traceId: digest(`trace ${correlationId}`).slice(0, 32), isSampled: null };
}

/** The id of the span in which an event was appended, made of the event's id. */
export function appendSpanOf(eventId: string): string {
  return digest(`append ${eventId}`).slice(0, 16);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
