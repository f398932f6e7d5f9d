import type { ServerResponse } from 'node:http';
import type { FailureLog } from './failure-log.js';
import { problemBody, type ToProblem } from './problem.js';

/** Proxies and browsers give up a connection on which nothing comes for long. */
const HEARTBEAT_MS = 15_000;

/** One answer that goes on (HTML Living Standard, "Server-sent events"). */
export interface EventStream {
  /** Aborted once nobody listens any more: the client left, or the service stops. */
  readonly signal: AbortSignal;
  /** Whether the client takes what is sent: what is soon outdated need not be sent to one that does not. */
  readonly hasRoom: boolean;
  /** Sends one event; `data` goes as JSON. */
  send(event: string, data: unknown): void;
}

/** The open event streams of the service. `close` ends them all, so that a stop need not wait for their clients. */
export class EventStreams {
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor(
    private readonly toProblem: ToProblem,
    private readonly failures: Pick<FailureLog, 'request'>,
  ) {}

  /**
   * Answers with what `work` sends, until it ends. A heartbeat goes out every 15 s. What `work` throws while somebody
   * listens is sent as an event `problem` (RFC 9457).
   */
  async answer(
    response: ServerResponse,
    requestId: string,
    work: (stream: EventStream) => Promise<void>,
  ): Promise<void> {
    const nobody = new AbortController();
    this.#open.add(nobody);
    if (this.#isClosed) nobody.abort();
    response.once('close', () => nobody.abort());
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    });
    response.flushHeaders();
    const heartbeat = setInterval(() => response.write(':\n\n'), HEARTBEAT_MS);
    const send = (event: string, data: unknown): void => {
      response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    const stream: EventStream = {
      signal: nobody.signal,
      get hasRoom() {
        return !response.writableNeedDrain;
      },
      send,
    };
    try {
      if (!nobody.signal.aborted) await work(stream);
    } catch (err) {
      if (nobody.signal.aborted) return;
      const problem = this.toProblem(err);
      this.failures.request(problem, requestId, err);
      send('problem', problemBody(problem, requestId));
    } finally {
      clearInterval(heartbeat);
      this.#open.delete(nobody);
      response.end();
    }
  }

  /** Ends every stream, and those that are begun from now on. */
  close(): void {
    this.#isClosed = true;
    for (const nobody of this.#open) nobody.abort();
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }
}
