import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { PrivateAddressError, type Resolve } from './public-address.js';
import { retryAfterOf, send } from './send.js';

describe('A message that is sent', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });

  async function receiver(listener: RequestListener): Promise<string> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/hook`;
  }

  const post = (
    url: string,
    more: { withinMs?: number; addresses?: 'public' | 'any'; resolve?: Resolve } = {},
  ) =>
    send(
      { url, headers: { 'x-a': 'b' }, body: 'ü' },
      { addresses: 'any', signal: new AbortController().signal, ...more },
    );

  it('arrives as it was said, with its length in bytes', async () => {
    let got = '';
    const url = await receiver((request, reply) => {
      request.on('data', (chunk: Buffer) => {
        got += `${request.method} ${request.headers['x-a']} ${request.headers['content-length']} ${chunk}`;
      });
      request.on('end', () => reply.writeHead(202).end());
    });
    expect(await post(url)).toBe(202);
    expect(got).toBe('POST b 2 ü');
  });

  it('follows no redirect', async () => {
    const asked: unknown[] = [];
    const url = await receiver((request, reply) => {
      asked.push(request.url);
      reply.writeHead(307, { location: '/elsewhere' }).end();
    });
    await expect(post(url)).rejects.toThrow('answered 307: redirects are not followed');
    expect(asked).toEqual(['/hook']);
  });

  it('is told by its status alone, however much comes with it', async () => {
    const url = await receiver((_, reply) => {
      reply.writeHead(200);
      const more = (): void => {
        if (reply.socket?.destroyed !== false) return; // whoever was told enough has gone
        reply.write('x'.repeat(65_536), (error) => error == null && setImmediate(more));
      };
      more();
    });
    expect(await post(url)).toBe(200);
  });

  it.each([400, 410, 500, 503])('is refused by %d', async (status) => {
    const url = await receiver((_, reply) => reply.writeHead(status).end());
    await expect(post(url)).rejects.toThrow(`answered ${status}`);
  });

  it('is refused by a receiver that would speak another protocol', async () => {
    const server = createServer();
    servers.push(server);
    server.on('connection', (socket) => {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    await expect(post(`http://127.0.0.1:${port}/hook`)).rejects.toThrow('answered 101');
  });

  it('is given up where no whole answer comes in time', async () => {
    const silent = await receiver(() => undefined);
    await expect(post(silent, { withinMs: 50 })).rejects.toThrow('no answer within 50 ms');
    const slow = await receiver((_, reply) => void reply.writeHead(200).flushHeaders());
    await expect(post(slow, { withinMs: 50 })).rejects.toThrow();
  });

  it('goes to no private address, named or written, and makes no connection there', async () => {
    let asked = 0;
    const url = await receiver((_, reply) => {
      asked += 1;
      reply.end();
    });
    const { port } = new URL(url);
    const resolve: Resolve = (_, __, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
    for (const target of [url, `http://[::ffff:127.0.0.1]:${port}/`, `http://2130706433:${port}/`]) {
      await expect(post(target, { addresses: 'public', resolve })).rejects.toThrow(PrivateAddressError);
    }
    await expect(post(`http://example.com:${port}/`, { addresses: 'public', resolve })).rejects.toThrow(
      PrivateAddressError,
    );
    expect(asked).toBe(0);
  });
});

describe('Retry-After', () => {
  it.each([
    [undefined, null],
    ['soon', null],
    ['0', 0],
    ['120', 120_000],
    ['9999999999', 86_400_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Fri, 31 Dec 2100 00:00:00 GMT', 86_400_000],
  ])('%p is so many milliseconds, a day at most', (header, expected) => {
    expect(retryAfterOf(header)).toBe(expected);
  });
});
