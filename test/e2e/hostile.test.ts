import { connect } from 'node:net';
import { KEPT_MS } from '../../src/api/health/open-answers.js';
import { createLogger } from '../../src/observability/logger.js';
import { MOST_ENTRIES } from '../../src/stripe/translate/read-json.js';
import type { Answer } from '../support/http-call.js';
import { AUTHORIZED, TestService } from '../support/service.js';
import {
  invoiceObject,
  itemObject,
  now,
  SECRET,
  signatureOf,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { until } from '../support/until.js';

let service: TestService;
/** What the service logged, errors and worse. */
const logged: string[] = [];
beforeAll(async () => {
  const logger = createLogger('error', { write: (line) => void logged.push(line) });
  service = await TestService.start({ hooks: { logger, openAnswersKeptMs: KEPT_MS } });
});
afterAll(() => service.close());

const good = () =>
  JSON.stringify(stripeEvent('customer.subscription.created', subscriptionObject('sub_h', 'price_plus')));
const event = (more: object, object: object = {}) =>
  JSON.stringify({
    ...stripeEvent('customer.subscription.created', subscriptionObject('sub_h', 'price_plus', object)),
    ...more,
  });

const of = (id: string) => ({ object: subscriptionObject(id, 'price_plus') });
const invoice = (more: object): string =>
  JSON.stringify(stripeEvent('invoice.paid', invoiceObject('in_h', 'sub_h', 'price_plus', more)));
/** One more than any list that is read. */
const more = <T>(entry: T): T[] => Array<T>(MOST_ENTRIES + 1).fill(entry);

async function isRefused(answer: Promise<Answer>, status: number, code: string) {
  const before = await service.logged();
  const { status: found, body, text, headers } = await answer;
  expect([found, body.code]).toEqual([status, code]);
  expect(headers['content-type']).toContain('application/problem+json');
  expect(text).not.toMatch(/\bat .*\.(js|ts):\d+/);
  expect(await service.logged()).toBe(before);
}

describe('a delivery that is not signed by Stripe now', () => {
  it.each<[string, (body: string) => string | null]>([
    ['without a signature', () => null],
    ['with nonsense', () => 'nonsense'],
    ['with a foreign secret', (body) => signatureOf(body, 'whsec_somebody_elses_secret')],
    ['signed 301 seconds ago', (body) => signatureOf(body, SECRET, now() - 301)],
    ['signed 600 seconds ahead', (body) => signatureOf(body, SECRET, now() + 600)],
    ['signed for another body', (body) => signatureOf(`${body} `)],
    ['with an empty signature', () => `t=${now()},v1=`],
    [
      'with 2,000 signatures, the good one among them',
      (body) => `${signatureOf(body)}${',v1=00'.repeat(2_000)}`,
    ],
  ])('%s is refused, and nothing is logged', async (_, sign) => {
    const body = good();
    await isRefused(service.post(body, sign(body)), 400, 'invalid_signature');
    expect(logged).toEqual([]);
  });
});

describe('a signed body', () => {
  it.each<[string, () => string]>([
    ['truncated', () => good().slice(0, -20)],
    ['that is not JSON', () => 'hello'],
    ['that is an array', () => '[]'],
    ['that is null', () => 'null'],
    ['of a hundred thousand brackets', () => '['.repeat(100_000)],
    ['with a raw NUL', () => good().replace('sub_h', 'sub\0h')],
  ])('%s is no JSON to take', async (_, make) => {
    const body = make();
    await isRefused(service.post(body, signatureOf(body)), 400, 'malformed_json');
  });

  it('that is not UTF-8 is no JSON to take', async () => {
    await isRefused(
      service.post(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), signatureOf('{}')),
      400,
      'malformed_json',
    );
  });

  it.each<[string, () => string]>([
    ['without an id', () => event({ id: undefined })],
    ['with an id of 256 characters', () => event({ id: 'e'.repeat(256) })],
    ['with a blank in its id', () => event({ id: 'evt 1' })],
    ['without a type', () => event({ type: undefined })],
    ['created in 1e18', () => event({ created: 1e18 })],
    ['created before time', () => event({ created: -1 })],
    ['created in a fraction', () => event({ created: 1.5 })],
    ['without an object', () => event({ data: {} })],
    ['without a subscription id', () => event({}, { id: undefined })],
    ['without a status', () => event({}, { status: undefined })],
    ['without items', () => event({}, { items: undefined })],
    ['with a NUL in its id', () => event({ id: 'evt\0' })],
    ['with half an emoji in its subscription id', () => event({}, { id: 'sub_\ud83d' })],
    ['with a NUL in its status', () => event({}, { status: 'active\0' })],
    ['with half an emoji in its status', () => event({}, { status: '\ude00' })],
    [
      'with more items than any',
      () => event({}, { items: { data: more(itemObject('price_plus', { plan: undefined })) } }),
    ],
    ['with half a million items', () => event({}, { items: { data: Array(500_000).fill(1) } })],
    [
      'with more items before than any',
      () => event({ data: { ...of('sub_h'), previous_attributes: { items: { data: more(1) } } } }),
    ],
    [
      'with more names before than any',
      () => event({ data: { ...of('sub_h'), previous_attributes: Object.fromEntries(more(1).entries()) } }),
    ],
    ['with more lines than any', () => invoice({ lines: { data: more(1) } })],
    ['with half a million lines', () => invoice({ lines: { data: Array(500_000).fill(1) } })],
    ['with more discounts than any', () => invoice({ lines: { data: [{ discount_amounts: more(1) }] } })],
    [
      'with a change nested too deep',
      () => {
        const previous = `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`;
        return good().replace('"data":{', `"data":{"previous_attributes":${previous},`);
      },
    ],
  ])('%s is no event to take', async (_, make) => {
    const body = make();
    await isRefused(service.post(body, signatureOf(body)), 422, 'malformed_event');
  });

  it.each<[string, (body: string) => string]>([
    ['a key __proto__', (body) => body.replace('"livemode"', '"__proto__":{"polluted":1},"livemode"')],
    [
      'an escaped key __proto__',
      (body) => body.replace('"livemode"', '"\\u005f_proto__":{"polluted":1},"livemode"'),
    ],
    [
      'a metadata key __proto__',
      (body) => body.replace('{"user_id"', '{"__proto__":{"polluted":1},"user_id"'),
    ],
    [
      'a changed key __proto__',
      (body) => body.replace('"data":{', '"data":{"previous_attributes":{"__proto__":{"polluted":1}},'),
    ],
    [
      'constructor.prototype',
      (body) => body.replace('"livemode"', '"constructor":{"prototype":{"polluted":1}},"livemode"'),
    ],
    ['half an emoji in a name', (body) => body.replace('{"user_id"', '{"name":"Ada \\ud83d","user_id"')],
    ['half an emoji in a key', (body) => body.replace('{"user_id"', '{"\\ude00":"Ada","user_id"')],
    ['U+0000 in a note', (body) => body.replace('{"user_id"', '{"note":"a\\u0000b","user_id"')],
    [
      'half an emoji and U+0000 in what changed',
      (body) =>
        body.replace(
          '"data":{',
          '"data":{"previous_attributes":{"description":"\\ud83d","a\\u0000":1,"\\ude00":[{"\\ud83d":"\\ud83d"}]},',
        ),
    ],
    ['half an emoji for a lookup key', (body) => body.replace('"lookup_key":null', '"lookup_key":"\\ud83d"')],
    ['U+0000 for a customer', (body) => body.replace('"customer":"cus_', '"customer":"\\u0000cus_')],
  ])('with %s gives what was paid for all the same', async (what, bend) => {
    const userId = `paid with ${what}`;
    const id = `sub_${Buffer.from(what).toString('hex')}`;
    const object = subscriptionObject(id, 'price_plus', { metadata: { user_id: userId } });
    const body = bend(JSON.stringify(stripeEvent('customer.subscription.created', object)));
    const { status, body: receipt } = await service.post(body, signatureOf(body));
    expect([status, receipt]).toMatchObject([200, { outcome: 'applied' }]);
    expect(await service.entitlements(userId, receipt.position)).toMatchObject({ plan: 'plus' });
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it.each([
    ['U+0000', 'a\0b'],
    ['half an emoji', 'a\ud83d'],
  ])('with %s in the user id names nobody', async (what, userId) => {
    const id = `sub_nobody${what.length}`;
    const body = event({}, { id, customer: `cus_${id}`, metadata: { user_id: userId } });
    const { status, body: receipt } = await service.post(body, signatureOf(body));
    expect([status, receipt]).toMatchObject([200, { outcome: 'applied' }]);
    await service.entitlements('anyone', receipt.position);
    const { body: unlinked } = await service.get('/v1/ops/unlinked?limit=1000');
    expect(unlinked.items.map((each: { id: string }) => each.id)).toContain(id);
  });

  it('of a mebibyte of what looks like U+0000 is answered', async () => {
    const body = event({ id: 'evt_lookalikes', padding: '\\u0000'.repeat(140_000) });
    expect((await service.post(body, signatureOf(body))).status).toBe(200);
  });

  it('over a mebibyte is refused', async () => {
    const body = event({ padding: 'x'.repeat(1_100_000) });
    await isRefused(service.post(body, signatureOf(body)), 413, 'payload_too_large');
  });

  it('with ids of 255 characters, as long as Stripe ever makes them, is taken', async () => {
    const body = event({ id: `evt_${'e'.repeat(251)}` }, { id: `sub_${'s'.repeat(251)}` });
    expect((await service.post(body, signatureOf(body))).body).toMatchObject({ outcome: 'applied' });
  });

  it('deeply nested in what nobody reads does not hold up anyone', async () => {
    const body = good().replace('"livemode"', `"x":${'['.repeat(400_000)}${']'.repeat(400_000)},"livemode"`);
    const [hostile, live] = await Promise.all([
      service.post(body, signatureOf(body)),
      service.get('/health/live'),
    ]);
    expect(hostile.status).toBeLessThan(500);
    expect(live.status).toBe(200);
  });
});

describe('a hostile request', () => {
  it.each<[string, number, string]>([
    ['/v1/users/%ZZ/entitlements', 400, 'malformed_url'],
    ['/v1/users/%00/entitlements', 400, 'invalid_user_id'],
    [`/v1/users/${'u'.repeat(256)}/entitlements`, 400, 'invalid_user_id'],
    ['/v1/nothing', 404, 'not_found'],
    ['/nothing', 404, 'not_found'],
  ])('GET %s is a problem with a code', async (path, status, code) => {
    await isRefused(service.get(path), status, code);
  });

  it.each(['{', '[]', '{"userIds":[]}', '{"userIds":[1]}', '{"userIds":["a"],"more":1}'])(
    'with the body %s is a problem',
    async (body) => {
      const { status } = await service.call({
        method: 'POST',
        path: '/v1/entitlements/batch',
        headers: { ...AUTHORIZED, 'content-type': 'application/json' },
        body,
      });
      expect(status).toBe(400);
    },
  );
});

describe('a connection', () => {
  const METRICS = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n';

  /** Opens one, sends bytes, a piece after the other, and tells the statuses that came when the service has closed it. */
  async function statuses(...pieces: readonly string[]): Promise<readonly string[]> {
    let text = '';
    let isClosed = false;
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(service.url).port) });
    socket.on('data', (chunk) => {
      text += String(chunk);
    });
    socket.on('error', () => undefined); // closed while it still sends
    socket.on('close', () => {
      isClosed = true;
    });
    socket.setNoDelay();
    for (const piece of pieces) {
      await new Promise<void>((resolve) => socket.write(piece, () => setImmediate(resolve)));
    }
    await until('the service closes the connection', () => isClosed);
    return [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status ?? '');
  }

  it('with 1,500 requests at once has a few answered, and is closed', async () => {
    const [first, probe] = await Promise.all([statuses(METRICS.repeat(1_500)), service.get('/health/live')]);
    expect(probe.status).toBe(200);
    expect(first).toEqual([...Array(16).fill('200'), '429']);
  });

  it('with a few requests at once has all of them answered', async () => {
    const bytes = `${METRICS.repeat(7)}${METRICS.replace('host', 'connection: close\r\nhost')}`;
    expect(await statuses(bytes)).toEqual(Array(8).fill('200'));
  });

  it('that posts without a body, and without a word of one, is answered', async () => {
    expect(await statuses('POST /webhooks/stripe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')).toEqual([
      '400',
    ]);
  });

  it.each([1, 100, 10_000])(
    'whose requests come in pieces of %i bytes has each of them answered',
    async (size) => {
      const body = '{"context":{"targetingKey":"pieces"}}';
      const asked = (more: string): string =>
        `POST /ofrep/v1/evaluate/flags HTTP/1.1\r\nhost: x\r\nauthorization: ${AUTHORIZED.authorization}\r\n` +
        `content-type: application/json\r\ncontent-length: ${body.length}\r\n${more}\r\n${body}`;
      const bytes = `${asked('')}${METRICS}${asked('')}${asked('connection: close\r\n')}`;
      const pieces = bytes.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(await statuses(...pieces)).toEqual(['200', '200', '200', '200']);
    },
  );

  it('that never sends a byte, and never closes its side, is closed', async () => {
    let isClosed = false;
    const { server } = service.tenure;
    server.once('connection', (socket) =>
      socket.once('close', () => {
        isClosed = true;
      }),
    );
    const silent = connect({
      host: '127.0.0.1',
      port: Number(new URL(service.url).port),
      allowHalfOpen: true,
    });
    await until('the service lets go of it', () => isClosed);
    silent.destroy();
  });
});

describe('what anybody may ask', () => {
  it('looks into the database once, however often it is asked', async () => {
    const { pool } = service.tenure;
    const query = pool.query.bind(pool);
    let looks = 0;
    const counted = (...given: Parameters<typeof query>): unknown => {
      if (String(given[0]) === 'select 1') looks += 1;
      return query(...given);
    };
    Object.assign(pool, { query: counted });
    try {
      await until('a new look', async () => {
        await service.get('/health/ready');
        return looks > 0;
      });
      looks = 0;
      const began = performance.now();
      const answers = await Promise.all(Array.from({ length: 200 }, () => service.get('/health/ready')));
      const seconds = (performance.now() - began) / 1_000;
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(looks).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
    } finally {
      Object.assign(pool, { query });
    }
  });
});
