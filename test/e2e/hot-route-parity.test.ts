import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, type Call, call } from '../support/http-call.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { requestIdFor } from '../support/pseudonyms.js';
import { ADMIN_KEY, startService, type TestService } from '../support/service.js';
import { now, SECRET, signed, stripeEvent, subscriptionObject } from '../support/stripe-events.js';

let service: TestService;
let coldServer: Server;
let coldUrl: string;
let etag: string;
let flagsEtag: string;
let provider: IdentityProvider;
const tokens = { own: '', other: '', expired: '' };
const APP = 'https://app.example.test';

const known = stripeEvent(
  'customer.subscription.created',
  subscriptionObject('sub_road', 'price_plus', { metadata: { user_id: 'road' } }),
);

beforeAll(async () => {
  provider = await IdentityProvider.start();
  service = await startService({ environment: { ...provider.environment, CORS_ORIGINS: APP } });
  tokens.own = await provider.token('road');
  tokens.other = await provider.token('other');
  tokens.expired = await provider.token('road', { exp: now() - 60 });
  coldServer = createServer(service.tenure.expressListener);
  await new Promise<void>((resolve) => coldServer.listen(0, '127.0.0.1', resolve));
  coldUrl = `http://127.0.0.1:${(coldServer.address() as AddressInfo).port}`;
  await service.after('road', known);
  flagsEtag = (await call(service.url, flags(OF_ROAD))).headers.etag ?? '';
  etag = (await service.get('/v1/users/road/entitlements')).headers.etag ?? '';
});
afterAll(async () => {
  await new Promise((resolve) => coldServer.close(resolve));
  await service.close();
  await provider.close();
});

const authorization = `Bearer ${ADMIN_KEY}`;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const SNAPSHOT = '/v1/users/road/entitlements';
const FLAGS = '/ofrep/v1/evaluate/flags';

const webhook = (body: Call['body'], headers: Readonly<Record<string, string>>): Call => ({
  method: 'POST',
  path: '/webhooks/stripe',
  headers: { 'content-type': 'application/json', ...headers },
  ...(body === undefined ? {} : { body }),
});
const delivery = (text: string, headers: Readonly<Record<string, string>> = {}): Call => {
  const { body, signature } = signed(text);
  return webhook(body, { 'stripe-signature': signature, ...headers });
};
const OF_ROAD = '{"context":{"targetingKey":"road"}}';
const flags = (body: string, headers: Readonly<Record<string, string>> = {}, path = FLAGS): Call => ({
  method: 'POST',
  path,
  headers: { authorization, 'content-type': 'application/json', ...headers },
  ...(body === '' ? {} : { body }),
});
const variant = (more: object): string => JSON.stringify({ ...known, id: 'evt_variant', ...more });

const REQUESTS: readonly (readonly [string, () => Call])[] = [
  ['a snapshot', () => ({ path: SNAPSHOT, headers: { authorization } })],
  [
    'the scheme in small letters',
    () => ({ path: SNAPSHOT, headers: { authorization: `bearer ${ADMIN_KEY}` } }),
  ],
  ['the tag of what it has', () => ({ path: SNAPSHOT, headers: { authorization, 'if-none-match': etag } })],
  ['a weak tag', () => ({ path: SNAPSHOT, headers: { authorization, 'if-none-match': `W/${etag}` } })],
  ['a list of tags', () => ({ path: SNAPSHOT, headers: { authorization, 'if-none-match': `"a", ${etag}` } })],
  ['any tag', () => ({ path: SNAPSHOT, headers: { authorization, 'if-none-match': '*' } })],
  ['another tag', () => ({ path: SNAPSHOT, headers: { authorization, 'if-none-match': '"a"' } })],
  [
    'a user never heard of',
    () => ({ path: '/v1/users/no.one~:@-/entitlements', headers: { authorization } }),
  ],
  ['a user id to decode', () => ({ path: '/v1/users/r%6Fad/entitlements', headers: { authorization } })],
  [
    'a user id of 255 characters',
    () => ({ path: `/v1/users/${'u'.repeat(255)}/entitlements`, headers: { authorization } }),
  ],
  [
    'a user id of 256 characters',
    () => ({ path: `/v1/users/${'u'.repeat(256)}/entitlements`, headers: { authorization } }),
  ],
  ['dots for a user id', () => ({ path: '/v1/users/../entitlements', headers: { authorization } })],
  [
    'a user id with a control character',
    () => ({ path: '/v1/users/a%00b/entitlements', headers: { authorization } }),
  ],
  [
    'a URL that cannot be decoded',
    () => ({ path: '/v1/users/%ZZ/entitlements', headers: { authorization } }),
  ],
  ['a slash at the end', () => ({ path: `${SNAPSHOT}/`, headers: { authorization } })],
  ['an empty query', () => ({ path: `${SNAPSHOT}?`, headers: { authorization } })],
  ['a position', () => ({ path: `${SNAPSHOT}?minPosition=1`, headers: { authorization } })],
  ['a parameter of later', () => ({ path: `${SNAPSHOT}?wait=25`, headers: { authorization } })],
  ['capital letters', () => ({ path: '/V1/users/road/entitlements', headers: { authorization } })],
  ['HEAD', () => ({ method: 'HEAD', path: SNAPSHOT, headers: { authorization } })],
  ['a method that is not there', () => ({ method: 'DELETE', path: SNAPSHOT, headers: { authorization } })],
  ['no key', () => ({ path: SNAPSHOT })],
  ['a wrong key', () => ({ path: SNAPSHOT, headers: { authorization: 'Bearer wrong' } })],
  ['a key with more behind it', () => ({ path: SNAPSHOT, headers: { authorization: `${authorization}x` } })],
  ['another scheme', () => ({ path: SNAPSHOT, headers: { authorization: `Basic ${ADMIN_KEY}` } })],
  [
    'a wrong key at a bad path',
    () => ({ path: '/v1/users/%ZZ/entitlements', headers: { authorization: 'Bearer wrong' } }),
  ],
  ['a token of the user', () => ({ path: SNAPSHOT, headers: bearer(tokens.own) })],
  [
    'a token of the user, and the tag of what it has',
    () => ({ path: SNAPSHOT, headers: { ...bearer(tokens.own), 'if-none-match': etag } }),
  ],
  ['a token of another user', () => ({ path: SNAPSHOT, headers: bearer(tokens.other) })],
  ['a token that has expired', () => ({ path: SNAPSHOT, headers: bearer(tokens.expired) })],
  ['a token with more behind it', () => ({ path: SNAPSHOT, headers: bearer(`${tokens.own}x`) })],
  ['an allowed origin', () => ({ path: SNAPSHOT, headers: { authorization, origin: APP } })],
  ['an allowed origin without a key', () => ({ path: SNAPSHOT, headers: { origin: APP } })],
  ['another origin', () => ({ path: SNAPSHOT, headers: { authorization, origin: `${APP}.evil` } })],
  [
    'a preflight',
    () => ({
      method: 'OPTIONS',
      path: SNAPSHOT,
      headers: { origin: APP, 'access-control-request-method': 'GET' },
    }),
  ],
  ['a duplicate', () => delivery(JSON.stringify(known))],
  ['a type of no interest', () => delivery(variant({ type: 'charge.succeeded' }))],
  ['a connected account', () => delivery(variant({ account: 'acct_1' }))],
  ['the other mode', () => delivery(variant({ livemode: true }))],
  ['a thin event', () => delivery(variant({ object: 'v2.core.event' }))],
  ['no id', () => delivery(variant({ id: undefined }))],
  ['an absurd second', () => delivery(variant({ created: 1e18 }))],
  ['what is not JSON', () => delivery('hello')],
  ['a prototype', () => delivery(JSON.stringify(known).replace('{', '{"__proto__":{},'))],
  ['an empty body', () => delivery('')],
  ['another media type', () => delivery(JSON.stringify(known), { 'content-type': 'text/plain' })],
  ['no signature', () => webhook(JSON.stringify(known), {})],
  [
    'a forged one',
    () => webhook(JSON.stringify(known), { 'stripe-signature': signed(known, 'whsec_other').signature }),
  ],
  [
    'an old one',
    () =>
      webhook(JSON.stringify(known), {
        'stripe-signature': signed(known, SECRET, { timestamp: now() - 600 }).signature,
      }),
  ],
  [
    'no UTF-8',
    () => webhook(Buffer.from([0x7b, 0xff, 0x7d]), { 'stripe-signature': signed('{}').signature }),
  ],
  ['GET at the webhook', () => ({ path: '/webhooks/stripe' })],
  ['all flags', () => flags(OF_ROAD)],
  ['all flags, and the tag of what it has', () => flags(OF_ROAD, { 'if-none-match': flagsEtag })],
  ['all flags, and another tag', () => flags(OF_ROAD, { 'if-none-match': '"a"' })],
  ['all flags of a user never heard of', () => flags('{"context":{"targetingKey":"nobody"}}')],
  ['all flags of the user of a token', () => flags('', bearer(tokens.own))],
  ['all flags of another user than that of a token', () => flags(OF_ROAD, bearer(tokens.other))],
  ['all flags after a change that was told', () => flags(OF_ROAD, {}, `${FLAGS}?flagConfigEtag=0.1.a`)],
  ['all flags at a path in capital letters', () => flags(OF_ROAD, {}, FLAGS.toUpperCase())],
  ['all flags of nobody', () => flags('')],
  [
    'all flags for a body in chunks',
    () => ({ ...flags(''), body: [Buffer.from(OF_ROAD.slice(0, 9)), Buffer.from(OF_ROAD.slice(9))] }),
  ],
  ['all flags of a list', () => flags('[]')],
  ['all flags of what is no user id', () => flags('{"context":{"targetingKey":"\\u0007"}}')],
  ['all flags for what is not JSON', () => flags('{')],
  ['all flags for a prototype', () => flags('{"__proto__":{}}')],
  ['all flags for another media type', () => flags(OF_ROAD, { 'content-type': 'text/plain' })],
  ['all flags for a compressed body', () => flags(OF_ROAD, { 'content-encoding': 'gzip' })],
  ['all flags without a key', () => flags(OF_ROAD, { authorization: '' })],
  ['all flags with a wrong key', () => flags(OF_ROAD, bearer('wrong'))],
  ['all flags for a page of an allowed origin', () => flags(OF_ROAD, { origin: APP })],
  ['GET at all flags', () => ({ path: FLAGS, headers: { authorization } })],
];

/** An answer without what belongs to the connection, to the instant, or, as its request id does, to itself alone. */
function comparable({ status, headers, text }: Answer) {
  const {
    date,
    connection,
    'keep-alive': keepAlive,
    'x-request-id': requestId = '',
    'content-length': length,
    ...others
  } = headers;
  const texts = text.split(String(requestId));
  const bytes = Number(length) - (texts.length - 1) * requestId.length;
  return { status, headers: { ...others, 'content-length': bytes }, text: texts.join('(its id)') };
}

/** Sends a request on both ways, with the same id; the answers. */
async function onBoth(request: Call, requestId: string): Promise<readonly [hot: Answer, cold: Answer]> {
  const sent = { ...request, headers: { ...request.headers, 'x-request-id': requestId } };
  const answers = [await call(service.url, sent), await call(coldUrl, sent)] as const;
  for (const { headers } of answers) expect(headers['x-request-id']).toEqual(requestIdFor(requestId));
  return answers;
}

describe('Hot routes and the controllers behind them answer alike', () => {
  it.each(REQUESTS)('to %s', async (_, make) => {
    const [hot, cold] = await onBoth(make(), 'same-on-both');
    expect(comparable(cold)).toEqual(comparable(hot));
    expect(hot.status).toBeLessThan(500);
  });

  it('to a new event, each in the same words', async () => {
    const replies = [];
    for (const [url, id] of [
      [service.url, 'sub_road_hot'],
      [coldUrl, 'sub_road_cold'],
    ] as const) {
      const event = stripeEvent('customer.subscription.created', subscriptionObject(id, 'price_plus'));
      const { status, headers, body } = await call(url, delivery(JSON.stringify(event)));
      const { position, ...words } = body;
      expect(position).toMatch(/^\d+$/);
      replies.push({ status, type: headers['content-type'], cache: headers['cache-control'], words });
    }
    expect(replies[0]).toMatchObject({ status: 200, words: { outcome: 'applied' } });
    expect(replies[1]).toEqual(replies[0]);
  });

  it.each([
    ['with its length told', [Buffer.alloc(0), 1024 * 1024 + 1]],
    ['in chunks', [Buffer.alloc(700_000, 0x20), 0]],
  ] as const)('to a body over the limit, %s', async (_, [chunk, told]) => {
    const headers = { 'stripe-signature': 't=1,v1=00' };
    const request: Call =
      told > 0 ? webhook(Buffer.alloc(told, 0x20), headers) : webhook([chunk, chunk], headers);
    const [hot, cold] = await onBoth(request, 'large');
    expect(comparable(hot)).toEqual(comparable(cold));
    expect(hot.status).toBe(413);
    expect(hot.headers.connection).toBe('close');
  });

  it('to one who failed too often, and to one with the key at the same address', async () => {
    const from = '127.0.0.77'; // its minute begins here, not with the first failure above
    const wrong: Call = { path: SNAPSHOT, from, headers: { authorization: 'Bearer wrong' } };
    for (let failure = 0; failure < 21; failure += 1) await call(service.url, wrong);
    const [hot, cold] = await onBoth(wrong, 'failing');
    expect([hot.status, cold.status, comparable(cold).text]).toEqual([429, 429, comparable(hot).text]);
    for (const { headers } of [hot, cold]) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    for (const url of [service.url, coldUrl]) {
      expect((await call(url, { path: SNAPSHOT, from, headers: { authorization } })).status).toBe(200);
    }
  });
});
