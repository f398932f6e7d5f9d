import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FailureLog } from './failure-log.js';
import type { ToProblem } from './problem.js';

/** The media type of JSON texts, one a line. */
export const NDJSON = 'application/x-ndjson';

/**
 * Long answers of JSON texts, one a line, at the pace of whoever reads them. `close` ends them all, so that a stop need not
 * wait for their readers.
 */
export class LineStreams {
  readonly #open = new Set<AbortController>();
  #isClosed = false;

  constructor(
    private readonly toProblem: ToProblem,
    private readonly failures: Pick<FailureLog, 'request'>,
  ) {}

  /**
   * Answers with these values. The next one is asked for once there is room for it, so what is not read is not made. What is
   * thrown before the first is thrown on; later the connection is cut, so that nobody takes a part for the whole.
   */
  async answer(response: ServerResponse, requestId: string, values: AsyncIterable<unknown>): Promise<void> {
    const nobody = new AbortController();
    this.#open.add(nobody);
    if (this.#isClosed) nobody.abort();
    response.once('close', () => nobody.abort());
    const lines = values[Symbol.asyncIterator]();
    try {
      let next = await lines.next();
      response.writeHead(200, {
        'content-type': `${NDJSON}; charset=utf-8`,
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
        'x-request-id': requestId,
      });
      while (next.done !== true && !nobody.signal.aborted) {
        const hasRoom = response.write(`${JSON.stringify(next.value)}\n`);
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
    for (const nobody of this.#open) nobody.abort();
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }
}
