import net from 'node:net';

/**
 * What happens to the server's answers: passed on, held back for ever, held back and the connection cut, or one passed on
 * and then cut.
 */
export type Answers = 'pass' | 'hold' | 'cut' | 'pass one';

/**
 * A TCP proxy that can lose the server's answers while what the client sends still arrives, the other way round, or both:
 * then no side hears of the other, not even that it has gone, like a cable that was pulled out.
 */
export interface CuttingProxy {
  readonly url: string;
  /** From now on; `cut` ends a connection at its next answer. What is held back never arrives. */
  answers: Answers;
  /** What happens to what the client sends, from now on. */
  requests: 'pass' | 'hold';
  /** Milliseconds by which everything is late, either way. */
  slowMs: number;
  /** Connections open now, as the client sees it. */
  readonly open: number;
  /** Ends every connection. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Stands before the server of `url`. `sent` may change what the client sends. */
export async function cuttingProxy(
  url: string,
  sent: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<CuttingProxy> {
  const target = new URL(url);
  const sockets = new Set<net.Socket>();
  const proxy: Pick<CuttingProxy, 'answers' | 'requests' | 'slowMs'> & { open: number } = {
    answers: 'pass',
    requests: 'pass',
    slowMs: 0,
    open: 0,
  };
  const late = (pass: () => void): void => {
    if (proxy.slowMs === 0) pass();
    else setTimeout(pass, proxy.slowMs);
  };
  const server = net.createServer((client) => {
    proxy.open += 1;
    client.on('close', () => {
      proxy.open -= 1;
    });
    const upstream = net.connect(Number(target.port || '5432'), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('data', (bytes) => {
      if (proxy.requests === 'pass') late(() => upstream.write(sent(bytes)));
    });
    upstream.on('data', (bytes) => {
      if (proxy.answers === 'cut') client.destroy();
      if (proxy.answers === 'pass' || proxy.answers === 'pass one') late(() => client.write(bytes));
      if (proxy.answers === 'pass one') proxy.answers = 'cut';
    });
    client.on('close', () => {
      if (proxy.requests === 'pass') late(() => upstream.end());
    });
    upstream.on('close', () => {
      if (proxy.answers !== 'hold') late(() => client.end());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const through = new URL(url);
  through.hostname = '127.0.0.1';
  through.port = String(address.port);
  return Object.assign(proxy, {
    url: through.href,
    cutAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
