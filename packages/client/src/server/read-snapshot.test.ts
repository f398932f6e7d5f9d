import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { paidSnapshot } from '../../test/snapshots.js';
import { readSnapshot } from './read-snapshot.js';

describe('A snapshot for the first paint', () => {
  it('is read with the key of the application, and a refusal is told', async () => {
    const snapshot = paidSnapshot();
    const server = createServer(({ url, headers }, response) => {
      const isKnown = url === '/v1/users/u%201/entitlements' && headers.authorization === 'Bearer key';
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify(snapshot));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      expect(await readSnapshot({ url, key: 'key' }, 'u 1')).toEqual(snapshot);
      await expect(readSnapshot({ url, key: 'other' }, 'u 1')).rejects.toMatchObject({ httpStatus: 401 });
      await expect(readSnapshot({ url, key: 'key' }, '..')).rejects.toThrow(RangeError);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
