import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { readBody } from './body.js';

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
});
