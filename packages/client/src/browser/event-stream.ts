/** One event of a stream; `id` is the last that was told, also by an event before. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string | null;
}

/** Characters that one line or event may have: a snapshot has a few thousand. */
const MOST_CHARACTERS = 1_000_000;

/**
 * Reads `text/event-stream` as it comes in pieces (HTML Living Standard, "Interpreting an event stream").
 * Comments and what is not known is passed over.
 */
export class EventStreamReader {
  /** How long the server asks to wait before the next connection; `null` when it did not say. */
  retryMs: number | null = null;
  #rest = '';
  #skipsLineFeed = false;
  #type = '';
  #data: string[] = [];
  #id: string | null = null;

  /** The events that this piece completes, in order. */
  read(piece: string): readonly StreamEvent[] {
    const events: StreamEvent[] = [];
    let text = this.#rest + (this.#skipsLineFeed && piece.startsWith('\n') ? piece.slice(1) : piece);
    if (piece !== '') this.#skipsLineFeed = false;
    for (let end = text.search(/[\r\n]/); end >= 0; end = text.search(/[\r\n]/)) {
      const event = this.#line(text.slice(0, end));
      if (event !== null) events.push(event);
      const isPair = text[end] === '\r' && text[end + 1] === '\n';
      this.#skipsLineFeed = text[end] === '\r' && end + 1 === text.length;
      text = text.slice(end + (isPair ? 2 : 1));
    }
    this.#rest = text;
    if (text.length > MOST_CHARACTERS) throw new RangeError('A line of the stream is too long.');
    return events;
  }

  #line(line: string): StreamEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#type = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): StreamEvent | null {
    const data = this.#data.join('\n');
    const type = this.#type === '' ? 'message' : this.#type;
    const isEvent = this.#data.length > 0;
    this.#type = '';
    this.#data = [];
    return isEvent ? { type, data, id: this.#id } : null;
  }
}
