import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FailureLog } from './failure-log.js';
import { outgoingTextOf } from './outgoing-text.js';
import type { ToProblem } from './problem.js';

/** The media type of JSON texts, one a line. */
export const NDJSON = 'application/x-ndjson';

/** What a stop makes of an answer: cut off at once, or ended by itself, with a last line, where that is soon read. */
type Ending = 'cut' | 'told';

/**
 * Long answers of JSON texts, one a line, at the pace of whoever reads them. `close` ends them all, so that a stop need not
 * wait for their readers.
 */
export class LineStreams {
  readonly #open = new Map<AbortController, Ending>();
  #isClosed = false;

  constructor(
    private readonly toProblem: ToProblem,
    private readonly failures: Pick<FailureLog, 'request'>,
    /** How long an answer that ends by itself may take for that in a stop, in milliseconds. */
    private readonly toldWithinMs = 2_000,
  ) {}

  /**
   * Answers with these values. The next one is asked for once there is room for it, so what is not read is not made. What is
   * thrown before the first is thrown on; later the connection is cut, so that nobody takes a part for the whole.
   */
  answer(response: ServerResponse, requestId: string, values: AsyncIterable<unknown>): Promise<void> {
    return this.#answer(response, requestId, linesOf(values), 'cut');
  }

  /**
   * The same with texts of one line or more, made by who is asked before each whether a stop is under way: then it gives a
   * last line and ends.
   */
  answerTexts(
    response: ServerResponse,
    requestId: string,
    make: (isStopping: () => boolean) => AsyncIterable<string>,
  ): Promise<void> {
    return this.#answer(
      response,
      requestId,
      make(() => this.#isClosed),
      'told',
    );
  }

  async #answer(
    response: ServerResponse,
    requestId: string,
    texts: AsyncIterable<string>,
    ending: Ending,
  ): Promise<void> {
    const nobody = new AbortController();
    this.#open.set(nobody, ending);
    // Who has left already is told of by no event, and makes no room.
    if (this.#isClosed || response.destroyed) nobody.abort();
    response.once('close', () => nobody.abort());
    const outgoing = outgoingTextOf(response);
    const lines = texts[Symbol.asyncIterator]();
    try {
      let next = await lines.next();
      response.writeHead(200, {
        'content-type': `${NDJSON}; charset=utf-8`,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
        'x-request-id': requestId,
      });
      // To HEAD no body is sent: nothing more is made for it.
      while (next.done !== true && !nobody.signal.aborted && response.req.method !== 'HEAD') {
        const text = outgoing === null ? next.value : await outgoing.later(next.value);
        const hasRoom = response.write(text);
        if (!hasRoom) await once(response, 'drain', { signal: nobody.signal });
        next = await lines.next();
      }
      if (nobody.signal.aborted) response.destroy();
      else response.end();
    } catch (error) {
      if (!response.headersSent) throw error;
      response.destroy();
      if (!nobody.signal.aborted) this.failures.request(this.toProblem(error), requestId, error);
    } finally {
      this.#open.delete(nobody);
      await lines.return?.();
    }
  }

  /** Ends every answer, and those that are begun from now on. */
  close(): void {
    this.#isClosed = true;
    const told: AbortController[] = [];
    for (const [nobody, ending] of this.#open) {
      if (ending === 'cut') nobody.abort();
      else told.push(nobody);
    }
    const cutOff = (): void => {
      for (const nobody of told) nobody.abort();
    };
    setTimeout(cutOff, this.toldWithinMs).unref();
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }
}

async function* linesOf(values: AsyncIterable<unknown>): AsyncGenerator<string, void> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
