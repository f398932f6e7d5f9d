import { connect, type Socket } from 'node:net';
import { AUTHORIZED } from '../../support/service.js';

/** Bytes that are read at once, and how long nothing is read then, in milliseconds. */
const BYTES = 1_024;
const PAUSE_MS = 1_000;

/** Reads an answer over a connection of its own, 1 KB a second. */
export class SlowReader {
  #received = '';
  #bytes = 0;
  #isOver = false;
  #isHurried = false;

  private constructor(private readonly socket: Socket) {}

  /** Asks with the admin key; comes back with the first kilobyte of the answer. */
  static open(url: string, path: string): Promise<SlowReader> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const buffer = Buffer.alloc(BYTES);
      const take = (count: number): boolean => {
        reader.#bytes += count;
        if (reader.#received === '') {
          reader.#received = buffer.toString('utf8', 0, count);
          resolve(reader);
        }
        if (!reader.#isHurried) setTimeout(() => socket.resume(), PAUSE_MS).unref();
        return reader.#isHurried;
      };
      const socket: Socket = connect({
        host: hostname,
        port: Number(port),
        onread: { buffer, callback: take },
      });
      const reader = new SlowReader(socket);
      socket.on('error', reject); // what comes after the answer has begun is told by `isOver`
      socket.on('close', () => {
        reader.#isOver = true;
      });
      socket.write(
        `GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: ${AUTHORIZED.authorization}\r\n\r\n`,
      );
    });
  }

  /** How the answer began. */
  get status(): number {
    return Number(this.#received.split(' ')[1]);
  }

  /** How many bytes of it were read. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads what is left as fast as it comes. */
  hurry(): void {
    this.#isHurried = true;
    this.socket.resume();
  }

  /** Whether all that came before the end of the connection was read. */
  get isOver(): boolean {
    return this.#isOver;
  }
}
