import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { readBody, readJsonBody } from './body.js';
import { ProblemError } from './problem.js';

describe('The body of a request', () => {
  it('is told to be incomplete where its caller was gone before anybody asked for it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const caller = connect(port, '127.0.0.1');
      caller.write('POST / HTTP/1.1\r\nHost: tenure\r\nContent-Length: 10\r\n\r\n{');
      const [request]: IncomingMessage[] = await once(server, 'request');
      if (request === undefined) throw new Error('no request came');
      const gone = new Promise((resolve) => request.once('close', resolve));
      caller.destroy();
      await gone;
      await expect(readBody(request)).rejects.toMatchObject({ code: 'invalid_request' });
    } finally {
      server.close();
    }
  });

  it('is JSON of a hundred levels at most, whatever it ends in', async () => {
    const server = createServer((request, response) => {
      const said = (error: unknown): string => (error instanceof ProblemError ? error.code : String(error));
      void readJsonBody(request).then(
        () => response.end('taken'),
        (error: unknown) => response.end(said(error)),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const codeOf = async (body: string): Promise<string> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })).text();
    };
    const nested = (levels: number, inner: string) => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;
    const bodies = ['null', '{}', nested(99, '{"a": null}'), nested(99, '{"a": []}'), nested(101, '')];
    try {
      expect(await Promise.all(bodies.map(codeOf))).toEqual([
        ...['taken', 'taken', 'taken'],
        ...['malformed_json', 'malformed_json'],
      ]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
