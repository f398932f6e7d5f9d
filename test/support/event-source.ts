import { setTimeout as pause } from 'node:timers/promises';
import { EventStreamReader } from '../../packages/client/src/browser/event-stream.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 2;

/** As much of a browser's `EventSource` (HTML Living Standard, 9.2) as a foreign provider uses, which Node 20 lacks. */
export class TestEventSource extends EventTarget {
  readyState = CONNECTING;
  readonly #left = new AbortController();

  constructor(readonly url: string) {
    super();
    void this.#run();
  }

  close(): void {
    this.readyState = CLOSED;
    this.#left.abort();
  }

  async #run(): Promise<void> {
    let lastId = '';
    while (this.readyState !== CLOSED) {
      const reader = new EventStreamReader();
      try {
        const headers = {
          accept: 'text/event-stream',
          ...(lastId === '' ? {} : { 'last-event-id': lastId }),
        };
        const response = await fetch(this.url, { headers, signal: this.#left.signal });
        if (response.status !== 200 || response.body === null) return this.#fail();
        this.readyState = OPEN;
        this.dispatchEvent(new Event('open'));
        for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
          for (const { type, data, id } of reader.read(piece)) {
            lastId = id ?? lastId;
            this.dispatchEvent(new MessageEvent(type, { data, lastEventId: lastId }));
          }
        }
      } catch (error) {
        if (this.#left.signal.aborted) return;
        if (!(error instanceof TypeError)) throw error; // fetch says so of a connection that broke
      }
      this.readyState = CONNECTING;
      this.dispatchEvent(new Event('error'));
      await pause(reader.retryMs ?? 1_000, null, { signal: this.#left.signal }).catch(() => undefined);
    }
  }

  #fail(): void {
    this.readyState = CLOSED;
    this.dispatchEvent(new Event('error'));
  }
}
