import { connect } from 'node:net';
import { problemCode } from '../support/http-call.js';
import { requestIdFor } from '../support/pseudonyms.js';
import { ADMIN_KEY, AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';

describe('Coming in', () => {
  let service: TestService;
  let last = 1;
  /** An address that has not failed yet: 20 failures a minute are all one has. */
  const freshAddress = (): string => {
    last += 1;
    return `127.0.0.${last}`;
  };
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
  });
  afterAll(() => service.close());

  it.each([
    ['GET', '/v1'],
    ['GET', '/v1/'],
    ['GET', '/V1/users/u/entitlements'],
    ['GET', '/v1/users/u/entitlements'],
    ['GET', '/v1/users/u/entitlements/'],
    ['GET', '/v1/users/u/entitlements?wait=1'],
    ['GET', '/v1/users/%ZZ/entitlements'],
    ['GET', '/v1/users/%00/entitlements'],
    ['HEAD', '/v1/users/u/entitlements'],
    ['OPTIONS', '/v1/users/u/entitlements'],
    ['GET', '/v1/users/u/features/export'],
    ['POST', '/v1/entitlements/batch'],
    ['GET', '/v1/ops/unlinked'],
    ['GET', '/v1/ops/conflicts'],
    ['GET', '/v1/ops/erased-claims'],
    ['GET', '/v1/ops/missing-pseudonyms'],
    ['GET', '/v1/ops/faults'],
    ['PUT', '/v1/customers/cus_1/link'],
    ['DELETE', '/v1/subscriptions/sub_1/link'],
    ['POST', '/v1/customers/links'],
    ['GET', '/v1/nothing/is/here'],
    ['GET', 'http://elsewhere/v1/users/u/entitlements'],
  ])('by %s %s needs a key, whatever is there', async (method, path) => {
    const answer = await service.call({ method, path, from: freshAddress() });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
    if (method !== 'HEAD') expect(problemCode(answer)).toBe('unauthorized');
  });

  it.each([
    `Bearer ${ADMIN_KEY}x`,
    `Bearer ${ADMIN_KEY.slice(1)}`,
    `Basic ${ADMIN_KEY}`,
    ADMIN_KEY,
    'Bearer',
  ])('is not possible with the header %j', async (authorization) => {
    for (const path of ['/v1/users/u/entitlements', '/v1/ops/unlinked']) {
      const answer = await service.call({ path, headers: { authorization }, from: freshAddress() });
      expect(problemCode(answer)).toBe('unauthorized');
    }
  });

  it('is held up after 20 failures in a minute from one address, but never with a valid key', async () => {
    const from = freshAddress();
    const paths = ['/v1/users/u/entitlements', '/v1/nothing'];
    const fail = (n: number) => service.call({ path: paths[n % 2] ?? '', from });
    for (let n = 0; n < 20; n += 1) expect((await fail(n)).status).toBe(401);
    for (let n = 0; n < 4; n += 1) {
      const answer = await fail(n);
      expect(answer.status).toBe(429);
      expect(problemCode(answer)).toBe('too_many_failures');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    for (const path of ['/v1/users/u/entitlements', '/v1/ops/unlinked']) {
      expect((await service.call({ path, headers: AUTHORIZED, from })).status).toBe(200);
    }
    expect((await service.call({ path: paths[0] ?? '', from: freshAddress() })).status).toBe(401);
  });

  it.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/favicon.ico', 404, 'not_found'],
    ['GET', '/v1/user', 404, 'not_found'],
    ['GET', '/v1/users/u/entitlements/nothing', 404, 'not_found'],
    ['GET', '/v1/../health/nope', 404, 'not_found'],
    ['POST', '/v1/users/u/entitlements', 405, 'method_not_allowed'],
    ['OPTIONS', '/v1/users/u/entitlements', 405, 'method_not_allowed'],
    ['GET', '/v1/entitlements/batch', 405, 'method_not_allowed'],
    ['POST', '/v1/customers/cus_1/link', 405, 'method_not_allowed'],
    ['DELETE', '/health/live', 405, 'method_not_allowed'],
    ['POST', '/openapi.json', 405, 'method_not_allowed'],
    ['GET', '/v1/users/%ZZ/entitlements', 400, 'malformed_url'],
    ['GET', '/v1/users/%C3%28/features/x', 400, 'malformed_url'],
  ])('with a key, %s %s is %i %s', async (method, path, status, code) => {
    const answer = await service.call({ method, path, headers: AUTHORIZED });
    expect(answer.status).toBe(status);
    expect(problemCode(answer)).toBe(code);
    if (status === 405) expect(answer.headers.allow).toBeTruthy();
  });

  it('names the methods that are allowed', async () => {
    const answer = await service.call({
      method: 'PATCH',
      path: '/v1/customers/cus_1/link/',
      headers: AUTHORIZED,
    });
    expect(answer.headers.allow).toBe('DELETE, PUT');
  });

  it('answers HEAD like GET, without a body', async () => {
    const path = '/v1/users/u/entitlements';
    const [head, get] = await Promise.all(
      ['HEAD', 'GET'].map((method) => service.call({ method, path, headers: AUTHORIZED })),
    );
    expect(head?.status).toBe(200);
    expect(head?.text).toBe('');
    for (const name of ['etag', 'content-length', 'content-type', 'tenure-position']) {
      expect(head?.headers[name]).toBe(get?.headers[name]);
    }
  });

  it('echoes a sane request id and makes one in place of any other', async () => {
    for (const path of [
      '/v1/users/u/entitlements',
      '/v1/ops/unlinked',
      '/nothing',
      '/docs',
      '/openapi.json',
    ]) {
      const given = async (id: string): Promise<unknown> =>
        (await service.call({ path, headers: { ...AUTHORIZED, 'x-request-id': id } })).headers[
          'x-request-id'
        ];
      expect(await given('trace-1:a.b_c')).toEqual(requestIdFor('trace-1:a.b_c'));
      const made = new Set([
        await given('a b'),
        await given('x'.repeat(129)),
        await given('"{}"'),
        await given(''),
      ]);
      expect(made.size).toBe(4);
      for (const id of made) expect(id).toMatch(/^[\w-]{8,}$/);
    }
  });

  it('shows neither the framework nor what may be sniffed', async () => {
    for (const path of [
      '/health/live',
      '/metrics',
      '/docs',
      '/openapi.json',
      '/nothing',
      '/v1/users/u/entitlements',
    ]) {
      const { headers } = await service.call({ path, headers: AUTHORIZED });
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  it.each([
    ['what is not HTTP', 'HELLO\r\n\r\n', 400, 'invalid_request'],
    [
      'two lengths',
      'POST /webhooks/stripe HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
      400,
      'invalid_request',
    ],
    [
      'a length and chunks, as a smuggler would',
      'POST /webhooks/stripe HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_request',
    ],
    [
      'a header of 20 kB',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`,
      431,
      'headers_too_large',
    ],
  ])('answers %s with a problem and closes', async (_, text, status, code) => {
    const answer = await raw(service.tenure.url, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toContain('application/problem+json');
    expect(answer).toContain(`"code":"${code}"`);
    const id = /^x-request-id: (\S+)$/m.exec(answer)?.[1];
    expect(answer).toContain(`"requestId":"${id}"`);
  });

  it.each([
    ['GET', '/v1/ops/unlinked', 200],
    ['GET', '/v1/users/u/entitlements', 200],
    ['DELETE', '/v1/subscriptions/sub_none/link?userId=u', null],
  ])('passes over the body of a %s of %s, whatever it is', async (method, path, status) => {
    const ask = (more: string): Promise<string> =>
      raw(
        service.tenure.url,
        `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${ADMIN_KEY}\r\nconnection: close\r\n${more}`,
      );
    const statusOf = (answer: string): number => Number(answer.split(' ')[1]);
    const plain = statusOf(await ask('\r\n'));
    const chunked = await ask('transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
    const noJson = await ask('content-type: application/json\r\ncontent-length: 1\r\n\r\n{');
    expect([statusOf(chunked), statusOf(noJson)]).toEqual([plain, plain]);
    if (status !== null) expect(plain).toBe(status);
  });

  it('lets a caller that goes away in the middle of a body do no harm', async () => {
    await new Promise<void>((resolve) => {
      const { hostname, port } = new URL(service.tenure.url);
      const socket = connect(Number(port), hostname, () => {
        socket.write('POST /webhooks/stripe HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc', () =>
          socket.destroy(),
        );
      });
      socket.on('close', () => resolve());
    });
    expect((await service.call({ path: '/health/live' })).status).toBe(200);
  });
});

function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}
