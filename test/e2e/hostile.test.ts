import { TestService } from '../support/service.js';
import { now, SECRET, signatureOf, stripeEvent, subscriptionObject } from '../support/stripe-events.js';

let service: TestService;
beforeAll(async () => {
  service = await TestService.start();
});
afterAll(() => service.close());

const good = () =>
  JSON.stringify(stripeEvent('customer.subscription.created', subscriptionObject('sub_h', 'price_plus')));
const event = (more: object, object: object = {}) =>
  JSON.stringify({
    ...stripeEvent('customer.subscription.created', subscriptionObject('sub_h', 'price_plus', object)),
    ...more,
  });

async function isRefused(
  answer: Promise<{ status: number; body: { code: string }; text: string; headers: Headers }>,
  status: number,
  code: string,
) {
  const before = await service.logged();
  const { status: found, body, text, headers } = await answer;
  expect([found, body.code]).toEqual([status, code]);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(text).not.toMatch(/\bat .*\.(js|ts):\d+/);
  expect(await service.logged()).toBe(before);
}

describe('a delivery that is not signed by Stripe now', () => {
  it.each<[string, (body: string) => string | null]>([
    ['without a signature', () => null],
    ['with nonsense', () => 'nonsense'],
    ['with a foreign secret', (body) => signatureOf(body, 'whsec_somebody_elses_secret')],
    ['signed 301 seconds ago', (body) => signatureOf(body, SECRET, now() - 301)],
    ['signed 302 seconds ahead', (body) => signatureOf(body, SECRET, now() + 302)],
    ['signed for another body', (body) => signatureOf(`${body} `)],
  ])('%s is refused', async (_, sign) => {
    const body = good();
    await isRefused(service.post(body, sign(body)), 400, 'invalid_signature');
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
    ['with a __proto__ key', () => good().replace('"livemode"', '"__proto__":{"x":1},"livemode"')],
    [
      'with an escaped __proto__ key',
      () => good().replace('"livemode"', '"\\u005f_proto__":{"x":1},"livemode"'),
    ],
    [
      'with constructor.prototype',
      () => good().replace('"livemode"', '"constructor":{"prototype":{"x":1}},"livemode"'),
    ],
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
    ['with an escaped NUL', () => event({}, { metadata: { user_id: 'a\0b' } })],
    ['with a lone surrogate', () => good().replace('"livemode"', '"x":"\\ud800","livemode"')],
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
      service.request('/health/live'),
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
    await isRefused(service.request(path), status, code);
  });

  it.each(['{', '[]', '{"userIds":[]}', '{"userIds":[1]}', '{"userIds":["a"],"more":1}'])(
    'with the body %s is a problem',
    async (body) => {
      const { status } = await service.request('/v1/entitlements/batch', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      expect(status).toBe(400);
    },
  );
});
