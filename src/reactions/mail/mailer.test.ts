import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Mailer } from './mailer.js';

/** A server that goes on greeting and never takes a mail; `closed` settles when the first connection to it ends. */
class EndlessServer {
  greetings = 0;
  readonly closed: Promise<unknown>;
  readonly connected: Promise<readonly Socket[]>;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((socket: Socket) => {
      const greeting = setInterval(() => {
        this.greetings += 1;
        socket.write('220-wait\r\n');
      }, 5);
      socket.on('error', () => undefined); // the other side may end it in the middle
      socket.on('close', () => clearInterval(greeting));
      socket.resume();
    });
    this.connected = once(this.#server, 'connection') as Promise<readonly Socket[]>;
    this.closed = this.connected.then(([socket]) => socket && once(socket, 'close'));
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `smtp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    await new Promise((done) => this.#server.close(done));
  }
}

describe('A mail to a server that never takes it', () => {
  const mail = { subject: 'a', text: 'b', html: '' };
  let server: EndlessServer;
  let url: string;
  beforeEach(async () => {
    server = new EndlessServer();
    url = await server.listen();
  });
  afterEach(() => server.close());

  it('ends by its signal, which closes the connection', async () => {
    const stopping = new AbortController();
    const sent = new Mailer(url, 'a@example.com').send('1', 'b@example.com', mail, stopping.signal);
    const ended = expect(sent).rejects.toThrow('the mail was not taken: EABORT');
    await server.connected;
    stopping.abort();
    await ended;
    await server.closed;
  });

  it('ends by its deadline as a whole, however often the server says something', async () => {
    const { signal } = new AbortController();
    // On a busy machine it may be over before there is a connection.
    for (let withinMs = 50; server.greetings === 0; withinMs *= 2) {
      const sent = new Mailer(url, 'a@example.com', withinMs).send('1', 'b@example.com', mail, signal);
      await expect(sent).rejects.toThrow('the mail was not taken: EABORT');
    }
    await server.closed;
  });
});
