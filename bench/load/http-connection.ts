import { connect, type Socket } from 'node:net';

/** What a load test needs of an answer. `body` is empty unless it was asked for. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const END_OF_HEAD = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/**
 * One keep-alive HTTP/1.1 connection that sends ready-made request bytes, one at a time, and reads the answer's status
 * and length only: a client that costs the machine little beside the server it measures.
 * Answers must carry `Content-Length`, or be 204 or 304.
 */
export class HttpConnection {
  #waiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;
  #received: Buffer = Buffer.alloc(0);
  #wanted = -1;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static open(host: string, port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new HttpConnection(socket));
      });
    });
  }

  /** Whether a request can be sent: the server closes connections that were idle for some seconds. */
  get isOpen(): boolean {
    return this.socket.writable;
  }

  /** Sends the bytes of one whole request; one may be under way at a time. */
  send(request: Buffer): Promise<HttpAnswer> {
    if (!this.isOpen) throw new Error('the server closed the connection');
    if (this.#waiting !== undefined) throw new Error('a request is under way on this connection');
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.socket.write(request);
    });
  }

  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (this.#wanted < 0) {
      const headEnd = this.#received.indexOf(END_OF_HEAD);
      if (headEnd < 0) return;
      this.#wanted = headEnd + END_OF_HEAD.length + bodyLength(this.#received.toString('latin1', 0, headEnd));
    }
    if (this.#received.length >= this.#wanted) this.#answer();
  }

  #answer(): void {
    const head = this.#received;
    const bodyStart = head.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    const status = Number(head.toString('latin1', 9, 12));
    const body = head.toString('utf8', bodyStart, this.#wanted);
    this.#received = Buffer.alloc(0);
    this.#wanted = -1;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ status, body });
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}

function bodyLength(head: string): number {
  const length = CONTENT_LENGTH.exec(head)?.[1];
  if (length !== undefined) {
    // A 304 may tell the length its 200 would have; it has no body (RFC 9110, 15.4.5).
    return head.startsWith('HTTP/1.1 304') ? 0 : Number(length);
  }
  if (head.startsWith('HTTP/1.1 304') || head.startsWith('HTTP/1.1 204')) return 0;
  throw new Error(`an answer without Content-Length: ${head.slice(0, 200)}`);
}

/** The bytes of a request with these header lines and body. */
export function requestBytes(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): Buffer {
  const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join('')}${length}\r\n${body}`,
  );
}
