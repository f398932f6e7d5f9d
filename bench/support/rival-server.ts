import { createServer, type IncomingMessage, type RequestListener } from 'node:http';

let complained = false;

/** Tells the first thing that went wrong; a benchmark ends at once then, and needs no thousand like it. */
export function complain(what: unknown): void {
  if (!complained) process.stderr.write(`${what}\n`);
  complained = true;
}

/** Serves on a free port of 127.0.0.1, tells the parent process which, and ends with SIGTERM. */
export function serveForBench(listener: RequestListener): void {
  const server = createServer(listener);
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP server');
    process.send?.({ port: address.port });
  });
  process.once('SIGTERM', () => process.exit(0));
}

/** The body of a request as text. */
export function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

/** A variable that the bench has set. */
export function given(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
