import { randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FailureLog } from './failure-log.js';
import { TextWriter } from './outgoing-text.js';
import { problemBody, type ToProblem } from './problem.js';

/** Proxies and browsers give up a connection on which nothing comes for long. */
const HEARTBEAT_MS = 15_000;
/** A client that has not taken what was sent for so long is dropped, in milliseconds: it costs memory and sees nothing. */
const DRAINED_WITHIN_MS = 30_000;
/** Milliseconds after which clients come again: spread, so that they do not all come at once. */
const RETRY_MS = { min: 1_000, max: 3_000 };
const RETRY_AFTER_STOP_MS = { min: 1_000, max: 10_000 };

/** One answer that goes on (HTML Living Standard, "Server-sent events"). */
export interface EventStream {
  /** Aborted once nobody listens any more: the client left, may listen no longer, or the service stops. */
  readonly signal: AbortSignal;
  /** Whether the client takes what is sent: what is soon outdated need not be sent to one that does not. */
  readonly hasRoom: boolean;
  /** Sends one event; `data` goes as JSON. */
  send(event: string, data: unknown): void;
  /** Sends events as `eventText` makes them. */
  sendText(text: string): void;
  /** Comes back once there is room, or nobody listens any more; a client that makes none for 30 s is dropped. */
  room(): Promise<void>;
}

/** What may differ between streams. */
export interface StreamOptions {
  /** Aborted when who opened the stream may listen no longer. */
  readonly until?: AbortSignal;
  /** `own`: the work sends its own. Left out: a comment every 15 s. */
  readonly heartbeat?: 'own';
}

/** An event as it is sent; `data` is one line of text, and `id` what a client comes again with (`Last-Event-ID`). */
export function eventText(event: string, data: string, id: string): string {
  return `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;
}

/** The open event streams of the service. `close` ends them all, so that a stop need not wait for their clients. */
export class EventStreams {
  readonly #open = new Map<AbortController, TextWriter>();
  #isClosed = false;

  constructor(
    private readonly toProblem: ToProblem,
    private readonly failures: Pick<FailureLog, 'request'>,
    private readonly drainedWithinMs = DRAINED_WITHIN_MS,
  ) {}

  /**
   * Answers with what `work` sends, until it ends. What `work` throws while somebody listens is sent as an event `problem`
   * (RFC 9457). No cache keeps the answer and no proxy on the way holds, packs or changes it.
   */
  async answer(
    response: ServerResponse,
    requestId: string,
    work: (stream: EventStream) => Promise<void>,
    { until, heartbeat }: StreamOptions = {},
  ): Promise<void> {
    const nobody = new AbortController();
    const leave = (): void => nobody.abort();
    const writer = new TextWriter(response);
    this.#open.set(nobody, writer);
    // Who has left already is told of by no event.
    if (this.#isClosed || until?.aborted === true || response.destroyed) leave();
    until?.addEventListener('abort', leave);
    response.once('close', leave);
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    });
    if (response.req.method === 'HEAD') return this.#end(nobody, writer);
    writer.write(retryText(RETRY_MS));
    const beat = heartbeat === 'own' ? undefined : setInterval(() => writer.write(':\n\n'), HEARTBEAT_MS);
    const sendText = (text: string): void => writer.write(text);
    const send = (event: string, data: unknown): void =>
      sendText(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const stream: EventStream = {
      signal: nobody.signal,
      get hasRoom() {
        return !response.writableNeedDrain;
      },
      send,
      sendText,
      room: () => roomIn(response, nobody.signal, this.drainedWithinMs),
    };
    try {
      if (!nobody.signal.aborted) await work(stream);
    } catch (err) {
      if (nobody.signal.aborted) return;
      const problem = this.toProblem(err);
      this.failures.request(problem, requestId, err);
      send('problem', problemBody(problem, requestId));
    } finally {
      clearInterval(beat);
      until?.removeEventListener('abort', leave);
      this.#end(nobody, writer);
    }
  }

  /** Ends every stream, and those that are begun from now on; clients come again at different times. */
  close(): void {
    this.#isClosed = true;
    for (const [nobody, writer] of this.#open) {
      writer.write(retryText(RETRY_AFTER_STOP_MS));
      nobody.abort();
    }
  }

  #end(nobody: AbortController, writer: TextWriter): void {
    this.#open.delete(nobody);
    writer.end();
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }
}

function retryText({ min, max }: typeof RETRY_MS): string {
  return `retry: ${randomInt(min, max)}\n\n`;
}

function roomIn(response: ServerResponse, nobody: AbortSignal, withinMs: number): Promise<void> {
  if (!response.writableNeedDrain || nobody.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const late = setTimeout(() => response.destroy(), withinMs);
    const done = (): void => {
      clearTimeout(late);
      response.off('drain', done);
      nobody.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    nobody.addEventListener('abort', done);
  });
}
