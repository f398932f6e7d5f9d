import { EventStreamReader, type StreamEvent } from '../browser/event-stream.js';
import { isRecord } from './entitlement-token.js';
import { answerError, type Connection, TenureAnswerError, TenureTimeoutError } from './requests.js';
import type { RevocationMemory } from './revocation-memory.js';
import { type FeedPosition, lineOf, type RevocationPages, takeOrRefuse } from './revocation-pages.js';

/** A heartbeat comes every five seconds: a stream on which nothing came for this long is held or cut. */
const SILENT_FOR_MS = 15_000;
/** The first event comes at once; where it does not, something on the way keeps streams back. */
const BEGINS_WITHIN_MS = 5_000;

export interface StreamParts {
  readonly connection: Connection;
  readonly memory: RevocationMemory;
  readonly position: FeedPosition;
  readonly pages: Pick<RevocationPages, 'reset'>;
}

/**
 * Follows the feed's stream into the memory until `signal` or the stream ends; comes back with how long the service asks to be
 * left alone, in milliseconds, `null` where it did not say. `onLive` is called at its first event. What arrives makes the memory
 * no fresher: a proxy may have held it.
 * Rejects with TenureTimeoutError where nothing comes, TenureAnswerError, the reason of `signal`, and what `fetch` throws.
 */
export async function followStream(
  { connection, memory, position, pages }: StreamParts,
  signal: AbortSignal,
  onLive: () => void,
): Promise<number | null> {
  const { url, key, fetch, clock } = connection;
  const giveUp = new AbortController();
  const follow = (): void => giveUp.abort(signal.reason);
  signal.addEventListener('abort', follow);
  if (signal.aborted) follow();
  const wait = (ms: number): (() => void) =>
    clock.after(ms, () => giveUp.abort(new TenureTimeoutError(`nothing came on the stream for ${ms} ms`)));
  let cancel = wait(BEGINS_WITHIN_MS);
  try {
    const { cursor } = position;
    const after = cursor === null ? '' : `?after=${encodeURIComponent(cursor)}`;
    const response = await fetch(`${url}/v1/revocations/stream${after}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${key}` },
      signal: giveUp.signal,
    });
    if (response.status === 410) {
      await response.text();
      pages.reset(response);
      return null;
    }
    if (!response.ok || response.body === null) {
      await response.text();
      throw answerError(`The stream of revocations was answered by ${response.status}`, response);
    }
    const events = new EventStreamReader();
    const utf8 = new TextDecoder();
    const body = response.body.getReader();
    for (let piece = await body.read(); !piece.done; piece = await body.read()) {
      giveUp.signal.throwIfAborted();
      for (const event of events.read(utf8.decode(piece.value, { stream: true }))) {
        cancel();
        cancel = wait(SILENT_FOR_MS);
        take(event, { connection, memory, position });
        onLive();
      }
    }
    return events.retryMs;
  } finally {
    cancel();
    signal.removeEventListener('abort', follow);
    giveUp.abort();
  }
}

function take(
  { type, data, id }: StreamEvent,
  { connection, memory, position }: Omit<StreamParts, 'pages'>,
): void {
  if (type === 'problem') throw new TenureAnswerError('The stream of revocations ended with a problem', null);
  if (type === 'revocation') {
    const line = lineOf(JSON.parse(data));
    if (line === null) throw new TenureAnswerError('A line of the revocation feed cannot be read', 200);
    takeOrRefuse(memory, [line], connection.clock.now());
  } else if (type === 'heartbeat') {
    if (!isRecord(JSON.parse(data))) throw new TenureAnswerError('A heartbeat cannot be read', 200);
  } else {
    return;
  }
  if (id !== null) position.cursor = id;
}
