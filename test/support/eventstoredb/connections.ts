import net from 'node:net';

/**
 * The TCP side of the server: it accepts connections, hands them to whoever speaks HTTP/2 on them, and can cut them or
 * stop reading them, so that to a client the process is gone or frozen.
 */
export class Connections {
  readonly #sockets = new Map<string, net.Socket>();
  #listener: net.Server | undefined;
  #frozen = false;
  #waiting: (() => void)[] = [];

  /** Listens on loopback (`port` 0: any) and returns the port. `serve` takes each connection over. */
  async listen(port: number, serve: (socket: net.Socket) => void): Promise<number> {
    const listener = net.createServer({ noDelay: true }, (socket) => {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      this.#sockets.set(peer, socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(peer));
      if (this.#frozen) this.#waiting.push(() => serve(socket));
      else serve(socket);
    });
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(port, '127.0.0.1', resolve);
    });
    this.#listener = listener;
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('the server has no port');
    return address.port;
  }

  /** Number of open connections. */
  get count(): number {
    return this.#sockets.size;
  }

  /** Cuts the connection of one peer (`address:port`). */
  cut(peer: string): void {
    this.#sockets.get(peer)?.destroy();
  }

  /** Cuts every connection; new ones are accepted. */
  cutAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }

  /** Connections stay open and new ones are accepted, but no byte is read: not even a ping is answered. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets.values()) handleOf(socket)?.readStop();
  }

  thaw(): void {
    this.#frozen = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const socket of this.#sockets.values()) handleOf(socket)?.readStart();
    for (const serve of waiting) serve();
  }

  /** Cuts every connection and refuses new ones. */
  async close(): Promise<void> {
    this.#waiting = [];
    this.#frozen = false;
    this.cutAll();
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) await new Promise<void>((resolve) => listener.close(() => resolve()));
  }
}

interface Handle {
  readStop(): void;
  readStart(): void;
}

/** The socket's handle: HTTP/2 reads it directly, so pausing the socket itself would stop nothing. */
function handleOf(socket: net.Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  return isHandle(handle) ? handle : undefined;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'readStop' in value && 'readStart' in value;
}
