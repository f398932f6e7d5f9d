import type { Environment } from './environment.js';
import { asTenureError, TenureError } from './errors.js';
import { EventStreamReader, type StreamEvent } from './event-stream.js';
import { nextTry, pollPause, type StreamEnd } from './reconnect.js';
import type { Ask, Requests } from './requests.js';
import { type Held, isRecord, parseSnapshot } from './snapshot.js';
import { Deadline, pause } from './timers.js';

/** A stream of which nothing was read for so long at its beginning is held back on the way. */
const FIRST_READ_MS = 5_000;
/** The heartbeat comes every 15 s: after three that are missing the stream is taken for dead. */
const SILENCE_MS = 45_000;
const LONG_POLL_SECONDS = 25;
/** A long poll that ended so soon without news was not held. */
const NOT_HELD_MS = 1_000;
const POLL_EVERY_MS = 30_000;

/** What the connection serves. */
export interface Receiver {
  /** What is held now, and from where on answers count. */
  ask(waitSeconds: number | null): Ask;
  /** A snapshot came, as the answer to this. */
  take(held: Held, ask: Ask, cameBy: 'answer' | 'push'): void;
  /** The server was heard, and what is held is what it has. */
  alive(): void;
  /** What is held may be out of date from now on. */
  lost(error: TenureError): void;
}

/**
 * Keeps a receiver up to date until the signal ends: by a stream; where none can be had, by long polls; where these are not
 * held, by polls every half a minute; and tries the stream again after a while.
 */
export async function keepLive(
  requests: Requests,
  receiver: Receiver,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const end = await readStream(requests, receiver, environment, signal);
    if (signal.aborted) return;
    const next = nextTry(end, failures, environment.random());
    failures = next.failures;
    if (next.does === 'pause') await pause(environment.clock, next.forMs, signal);
    else await poll(requests, receiver, environment, next.forMs, signal);
  }
}

async function readStream(
  requests: Requests,
  receiver: Receiver,
  { clock }: Environment,
  signal: AbortSignal,
): Promise<StreamEnd> {
  const begun = clock.now();
  const deadline = new Deadline(clock, FIRST_READ_MS, signal);
  const parser = new EventStreamReader();
  let wasRead = false;
  try {
    const ask = receiver.ask(null);
    const body = await requests.stream(ask, deadline.signal);
    const decoder = new TextDecoder();
    for await (const piece of piecesOf(body, deadline.signal)) {
      for (const event of parser.read(decoder.decode(piece, { stream: true }))) {
        if (takeEvent(event, ask, receiver)) wasRead = true;
      }
      if (!wasRead) continue;
      deadline.restart(SILENCE_MS);
      receiver.alive();
    }
    if (deadline.isOver) throw new TenureError('deadline', 'The stream has gone silent.');
    return { kind: 'ended', lastedMs: clock.now() - begun, retryMs: parser.retryMs };
  } catch (error) {
    if (deadline.isOver && !wasRead) return { kind: 'unread' };
    const fault = asTenureError(error);
    if (!signal.aborted) receiver.lost(fault);
    if (fault.httpStatus === null) return { kind: 'unreachable' };
    return { kind: 'refused', httpStatus: fault.httpStatus, retryAfterMs: fault.retryAfterMs };
  } finally {
    deadline.end();
  }
}

/** The pieces of a body, until the signal ends; the body is then given up. */
async function* piecesOf(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const giveUp = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', giveUp);
  try {
    for (let read = await reader.read(); !read.done && !signal.aborted; read = await reader.read()) {
      yield read.value;
    }
  } finally {
    signal.removeEventListener('abort', giveUp);
    giveUp();
  }
}

/** An event is a snapshot as GET gives it, with its `etag` beside its fields. Whether it was one. */
function takeEvent(event: StreamEvent, ask: Ask, receiver: Receiver): boolean {
  if (event.type !== 'snapshot' && event.type !== 'change' && event.type !== 'update') return false;
  const { etag, ...snapshot } = asRecord(JSON.parse(event.data));
  receiver.take(
    { snapshot: parseSnapshot(snapshot), etag: typeof etag === 'string' ? etag : null, cursor: event.id },
    ask,
    'push',
  );
  return true;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new TenureError('malformed_answer', 'This is no event of a snapshot.');
  return value;
}

async function poll(
  requests: Requests,
  receiver: Receiver,
  { clock, random }: Environment,
  forMs: number,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.now() + forMs;
  let waitSeconds: number | null = LONG_POLL_SECONDS;
  let failures = 0;
  while (!signal.aborted && clock.now() < until) {
    const begun = clock.now();
    const ask = receiver.ask(waitSeconds);
    let retryAfterMs: number | null = null;
    let wasHeld = false;
    try {
      const held = await requests.snapshot(ask, signal);
      if (held !== null) receiver.take(held, ask, 'answer');
      receiver.alive();
      failures = 0;
      const isLong = ask.held?.etag != null && waitSeconds !== null;
      wasHeld = isLong && (held !== null || clock.now() - begun >= NOT_HELD_MS);
    } catch (error) {
      if (signal.aborted) return;
      const fault = asTenureError(error);
      if (fault.code === 'unsupported_parameter') waitSeconds = null;
      else receiver.lost(fault);
      failures += 1;
      retryAfterMs = fault.retryAfterMs;
    }
    if (!wasHeld) {
      await pause(clock, pollPause(POLL_EVERY_MS, failures, retryAfterMs, random()), signal);
    }
  }
}
