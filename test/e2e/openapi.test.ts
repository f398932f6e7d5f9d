import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CHECK_PATH } from '../../src/api/access/access-check.js';
import { NDJSON } from '../../src/http/line-stream.js';
import { PROBLEMS } from '../../src/http/problem.js';
import { buyer } from '../support/buyer.js';
import type { Answer } from '../support/http-call.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent, signedHeaders } from '../support/stripe-events.js';

const operationSchema = z.looseObject({
  summary: z.string().min(1),
  operationId: z.string(),
  security: z.array(z.looseObject({})).optional(),
  parameters: z.array(z.looseObject({ name: z.string(), in: z.string() })).default([]),
  responses: z.record(
    z.string(),
    z.looseObject({
      description: z.string().min(1),
      content: z
        .record(
          z.string(),
          z.looseObject({
            schema: z.record(z.string(), z.unknown()).optional(),
            example: z.unknown().optional(),
            examples: z.record(z.string(), z.object({ $ref: z.string() })).default({}),
          }),
        )
        .optional(),
    }),
  ),
});
/** Where middleware stands, as the sources name it, and what of it answers. */
const MIDDLEWARE = new Map([
  ["'/v1'", 'lets routes be reached by a key'],
  ["'/v1/introspect'", 'reads the body of a route'],
  ['CHECK_PATH', 'documented'],
  ['EVENT_STREAM_PATH', 'lets a documented route be reached by a ticket'],
  ["['/ofrep', '/access']", 'lets routes be reached by a key'],
  ["'/ofrep'", 'reads the bodies of routes'],
  ["'/access'", 'reads the bodies of routes'],
  ['[...BESIDE.keys()]', 'the document itself and its page'],
  ['PATH', 'the files of the console'],
]);
/** Paths that no key opens. */
const OWN_WAYS = [
  ['/v1/me/', [[{ user: [] }]]],
  ['/ofrep/v1/event-stream', [[{ ticket: [] }]]],
] as const;
/** What reads no user, or reads users by another place than a position, by the beginning of its method and path. */
const WITHOUT_POSITION: readonly (readonly [string, string])[] = [
  ['GET /health', 'tells of the service'],
  ['GET /metrics', 'tells of the service'],
  ['GET /.well-known', 'keys'],
  ['GET /v1/plans', 'the catalogue'],
  ['GET /v1/ops', 'lists for operators'],
  ['POST /v1/ops', 'what operators begin'],
  ['POST /webhooks/stripe', 'writes'],
  ['GET /audit/log', 'ends with the newest checkpoint'],
  ['GET /v1/audit', 'reads by `at`, `knownAt` or a place in the log'],
  ['GET /v1/revocations', 'reads by a cursor'],
  ['GET /audit/log', 'proofs of the log'],
  ['GET /v1/checkout', 'waits until what was bought is in force'],
  ['POST /v1/portal', 'opens a page of Stripe'],
  ['POST /v1/introspect', 'a token is held to the version that is served'],
  ['POST /ofrep', 'waits for the `flagConfigEtag` of an event'],
  ['GET /ofrep/v1/event-stream', 'goes on after `Last-Event-ID`'],
  ['POST /access', 'its protocol has no place for one'],
  ['GET /access', 'asks about what is served now, as whoever comes through the proxy meets it'],
];
const FAR = '999999999';
const documentSchema = z.looseObject({
  openapi: z.string().regex(/^3\./),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({
    schemas: z.record(z.string(), z.record(z.string(), z.unknown())),
    examples: z.record(z.string(), z.object({ value: z.unknown() })),
  }),
});
type Document = z.infer<typeof documentSchema>;

describe('The OpenAPI document', () => {
  let service: TestService;
  let document: Document;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
    document = documentSchema.parse((await service.call({ path: '/openapi.json' })).body);
    const { position } = await service.receive(buyer('documented').started('active').body);
    await service.receive(buyer(null).started('active').body);
    await service.entitlements('documented', position);
  });
  afterAll(() => service.close());

  function operation(method: string, path: string): z.infer<typeof operationSchema> {
    const found = document.paths[path]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`${method} ${path} is not documented`);
    return found;
  }

  /** A schema with what it refers to in the place of references. */
  function resolved(schema: Record<string, unknown>): Record<string, unknown> {
    const parsed: unknown = JSON.parse(JSON.stringify(schema), (_key, value) => {
      const ref: unknown = Reflect.get(Object(value), '$ref');
      if (typeof ref !== 'string') return value;
      const component = document.components.schemas[ref.split('/').at(-1) ?? ''];
      if (component === undefined) throw new Error(`${ref} is not there`);
      return resolved(component);
    });
    return z.record(z.string(), z.unknown()).parse(parsed);
  }

  /** Holds an answer to the schema that the document gives for its status and media type. */
  function expectAsDocumented(method: string, path: string, answer: Answer): void {
    const documented = operation(method, path).responses[String(answer.status)];
    if (documented === undefined) throw new Error(`${method} ${path}: ${answer.status} is not documented`);
    if (answer.text === '') {
      expect(documented.content).toBeUndefined();
      return;
    }
    const type = answer.headers['content-type']?.split(';')[0] ?? '';
    const schema = documented.content?.[type]?.schema;
    if (schema === undefined) throw new Error(`${method} ${path}: ${answer.status} ${type} has no schema`);
    const lines = (): unknown[] =>
      answer.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    const codes = Object.keys(documented.content?.['application/problem+json']?.examples ?? {});
    if (type === 'application/problem+json') expect(codes).toContain(answer.body.code);
    const said = type === 'text/plain' ? [answer.text] : type === NDJSON ? lines() : [answer.body];
    expect(said.flatMap((each) => faultsOf(each, schema))).toEqual([]);
  }

  function faultsOf(body: unknown, schema: Record<string, unknown>): readonly unknown[] {
    const parsed = z.fromJSONSchema(resolved(schema), { defaultTarget: 'openapi-3.0' }).safeParse(body);
    return parsed.error?.issues ?? [];
  }

  /** Bodies that the document gives as examples; of problems one a code. */
  function examplesOf(content: { example?: unknown; examples: Record<string, { $ref: string }> }): unknown[] {
    const named = Object.values(content.examples).map(({ $ref }) => {
      const component = document.components.examples[$ref.split('/').at(-1) ?? ''];
      if (component === undefined) throw new Error(`${$ref} is not there`);
      return component.value;
    });
    return content.example === undefined ? named : [content.example, ...named];
  }

  const HISTORY = '/v1/audit/users/{userId}/history';
  const FREE = { default: 'free', plans: { free: { rank: 0, role: 'free', features: ['few'] } } };
  const PROJECTION = '/v1/ops/projections/{name}';
  const OF = '/v1/ops/projections/entitlements';
  const link = '/v1/customers/{customerId}/link';
  it.each<[string, string, string, unknown, number]>([
    ['GET', '/v1/users/{userId}/entitlements', '/v1/users/documented/entitlements', undefined, 200],
    ['GET', '/v1/users/{userId}/entitlements', '/v1/users/%07/entitlements', undefined, 400],
    [
      'GET',
      '/v1/users/{userId}/entitlements',
      '/v1/users/documented/entitlements?at=2026-01-01T00:00:00Z',
      undefined,
      200,
    ],
    [
      'GET',
      '/v1/users/{userId}/entitlements',
      '/v1/users/documented/entitlements?knownAt=9999-01-01T00:00:00Z',
      undefined,
      422,
    ],
    ['GET', '/v1/audit/entitlements', '/v1/audit/entitlements', undefined, 200],
    ['GET', '/v1/audit/entitlements', '/v1/audit/entitlements?at=x', undefined, 400],
    ['GET', '/v1/audit/checkpoint', '/v1/audit/checkpoint', undefined, 404],
    ['GET', '/v1/audit/events', '/v1/audit/events', undefined, 200],
    ['GET', '/v1/audit/events', '/v1/audit/events?from=123456', undefined, 412],
    ['GET', HISTORY, '/v1/audit/users/documented/history?explain=true&kind=upgrade', undefined, 200],
    ['GET', HISTORY, '/v1/audit/users/documented/history?cursor=9-9', undefined, 410],
    ['GET', '/v1/users/{userId}/features/{key}', '/v1/users/documented/features/members', undefined, 200],
    ['GET', '/v1/users/{userId}/features/{key}', '/v1/users/documented/features/sso', undefined, 200],
    [
      'GET',
      '/v1/users/{userId}/features/{key}',
      '/v1/users/documented/features/sso?amount=x',
      undefined,
      400,
    ],
    ['POST', '/v1/entitlements/batch', '/v1/entitlements/batch', { userIds: ['documented', 'x'] }, 200],
    ['POST', '/v1/entitlements/batch', '/v1/entitlements/batch', { userIds: [] }, 400],
    ['GET', '/v1/ops/unlinked', '/v1/ops/unlinked', undefined, 200],
    ['GET', '/v1/ops/conflicts', '/v1/ops/conflicts', undefined, 200],
    ['GET', '/v1/ops/erased-claims', '/v1/ops/erased-claims', undefined, 200],
    ['GET', '/v1/ops/missing-pseudonyms', '/v1/ops/missing-pseudonyms', undefined, 200],
    ['GET', '/v1/ops/unmapped-prices', '/v1/ops/unmapped-prices', undefined, 200],
    ['GET', '/v1/ops/pending-payments', '/v1/ops/pending-payments?limit=1', undefined, 200],
    ['GET', '/v1/ops/unjoined-payments', '/v1/ops/unjoined-payments', undefined, 200],
    ['GET', '/v1/ops/fraud-warnings', '/v1/ops/fraud-warnings?limit=1', undefined, 200],
    ['GET', '/v1/ops/faults', '/v1/ops/faults', undefined, 200],
    ['GET', '/v1/ops/imports', '/v1/ops/imports', undefined, 404],
    ['POST', '/v1/ops/imports', '/v1/ops/imports', { dryRun: true }, 409],
    ['POST', '/v1/ops/reconciliations', '/v1/ops/reconciliations', { dryRun: true }, 409],
    ['GET', '/v1/ops/reconciliations/{id}', '/v1/ops/reconciliations/x', undefined, 404],
    [
      'POST',
      '/v1/ops/webhook-endpoints',
      '/v1/ops/webhook-endpoints',
      { url: 'https://app.example/', description: 'a\0b' },
      400,
    ],
    ['GET', '/v1/plans', '/v1/plans', undefined, 200],
    ['PATCH', '/v1/users/{userId}/plan', '/v1/users/nobody/plan', { plan: 'free' }, 200],
    ['PATCH', '/v1/users/{userId}/plan', '/v1/users/nobody/plan', { plan: 'pro' }, 403],
    ['PATCH', '/v1/users/{userId}/plan', '/v1/users/documented/plan', { plan: 'free' }, 503],
    [
      'POST',
      '/v1/portal/sessions',
      '/v1/portal/sessions',
      { userId: 'u', returnUrl: 'https://elsewhere.example' },
      422,
    ],
    ['GET', '/v1/plans', '/v1/plans?plan=x', undefined, 400],
    [
      'POST',
      '/v1/checkout/sessions',
      '/v1/checkout/sessions',
      {
        userId: 'u',
        plan: 'plus',
        interval: 'm',
        successUrl: 'https://elsewhere.example',
        cancelUrl: 'https://elsewhere.example',
      },
      422,
    ],
    ['GET', '/v1/checkout/sessions/{sessionId}', '/v1/checkout/sessions/cs_1', undefined, 404],
    ['GET', '/v1/users', '/v1/users?plan=plus&limit=1', undefined, 200],
    ['GET', '/v1/users', '/v1/users?status=x', undefined, 400],
    ['GET', '/v1/ops/projections', '/v1/ops/projections', undefined, 200],
    ['GET', PROJECTION, OF, undefined, 200],
    ['GET', PROJECTION, '/v1/ops/projections/x', undefined, 404],
    ['GET', `${PROJECTION}/rebuild`, `${OF}/rebuild`, undefined, 404],
    ['POST', `${PROJECTION}/rollback`, `${OF}/rollback`, { reason: 'r' }, 409],
    ['POST', `${PROJECTION}/rebuild`, `${OF}/rebuild`, { reason: 'r', afterwards: 'keep' }, 202],
    ['POST', `${PROJECTION}/rebuild`, `${OF}/rebuild`, { reason: 'r' }, 409],
    [
      'GET',
      `${PROJECTION}/generations/{generation}/comparison`,
      `${OF}/generations/2/comparison`,
      undefined,
      200,
    ],
    ['POST', `${PROJECTION}/swap`, `${OF}/swap`, { reason: 'r', generation: 2 }, 200],
    ['GET', `${PROJECTION}/rebuild`, `${OF}/rebuild`, undefined, 200],
    ['POST', `${PROJECTION}/rollback`, `${OF}/rollback`, { reason: 'r', dryRun: true }, 200],
    ['POST', `${PROJECTION}/rollback`, `${OF}/rollback`, { reason: 'r' }, 200],
    ['POST', `${PROJECTION}/resume`, `${OF}/resume`, {}, 409],
    ['POST', `${PROJECTION}/skip`, `${OF}/skip`, { position: '1', reason: 'r' }, 409],
    ['POST', '/v1/ops/plans/diff', '/v1/ops/plans/diff', FREE, 200],
    ['POST', '/v1/ops/plans/diff', '/v1/ops/plans/diff', {}, 400],
    ['POST', `${PROJECTION}/verify`, `${OF}/verify`, { users: 1 }, 200],
    ['DELETE', `${PROJECTION}/generations/{generation}`, `${OF}/generations/1`, undefined, 409],
    ['DELETE', `${PROJECTION}/generations/{generation}`, `${OF}/generations/2`, undefined, 204],
    ['PUT', '/v1/users/{userId}/usage/{limit}', '/v1/users/u/usage/members', { value: 3 }, 200],
    ['PUT', '/v1/users/{userId}/usage/{limit}', '/v1/users/u/usage/teleports', { value: 3 }, 422],
    ['PUT', '/v1/users/{userId}/usage/{limit}', '/v1/users/u/usage/members', { value: -1 }, 400],
    ['PUT', link, '/v1/customers/cus_1/link', { userId: 'u' }, 200],
    ['DELETE', link, '/v1/customers/cus_1/link', undefined, 200],
    ['PUT', link, '/v1/customers/cus_1/link', {}, 400],
    ['PUT', '/v1/checkouts/{sessionId}/link', '/v1/checkouts/cs_1/link', { userId: 'u' }, 200],
    ['DELETE', '/v1/checkouts/{sessionId}/link', '/v1/checkouts/cs_1/link', undefined, 200],
    ['PUT', '/v1/subscriptions/{subscriptionId}/link', '/v1/subscriptions/sub_1/link', { userId: 'u' }, 200],
    ['DELETE', '/v1/subscriptions/{subscriptionId}/link', '/v1/subscriptions/sub_1/link', undefined, 200],
    [
      'POST',
      '/v1/customers/links',
      '/v1/customers/links',
      { links: [{ customerId: 'c', userId: 'u' }] },
      200,
    ],
    ['POST', '/v1/users/{userId}/token', '/v1/users/documented/token', undefined, 200],
    ['POST', '/v1/users/{userId}/token', '/v1/users/documented/token?at=x', undefined, 400],
    ['GET', CHECK_PATH, `${CHECK_PATH}?feature=export&user=documented`, undefined, 204],
    ['GET', CHECK_PATH, `${CHECK_PATH}?feature=sso&user=documented`, undefined, 403],
    ['GET', CHECK_PATH, `${CHECK_PATH}?feature=export`, undefined, 401],
    ['GET', CHECK_PATH, CHECK_PATH, undefined, 400],
    ['POST', '/v1/introspect', '/v1/introspect', { token: 'x' }, 415],
    ['GET', '/.well-known/jwks.json', '/.well-known/jwks.json', undefined, 200],
    ['GET', '/audit/log/checkpoint', '/audit/log/checkpoint', undefined, 404],
    ['GET', '/audit/log/tile/{path}', '/audit/log/tile/0/x001/x002/003.p/4', undefined, 404],
    ['GET', '/audit/log/{tree}/proof/{index}', '/audit/log/2/proof/7', undefined, 404],
    ['GET', '/health/live', '/health/live', undefined, 200],
    ['GET', '/health/ready', '/health/ready', undefined, 200],
    ['GET', '/metrics', '/metrics', undefined, 200],
  ])('says of %s %s what %s answers', async (method, template, path, body, status) => {
    const answer = await service.ask(method, path, body);
    expect(answer.status).toBe(status);
    expectAsDocumented(method, template, answer);
  });

  /** Every documented route as a request, `id` in each place of its path. */
  const routesWith = (id: string) =>
    Object.entries(document.paths).flatMap(([template, operations]) =>
      Object.keys(operations).map((each) => ({
        method: each.toUpperCase(),
        template,
        path: template.replaceAll(/\{\w+\}/g, id),
      })),
    );

  it.each(['%ff', '%00', 'a%00b'])('says what every route answers to %s in its path', async (id) => {
    for (const { method, template, path } of routesWith(id).filter(({ template }) => /\{/.test(template))) {
      const answer = await service.ask(method, path, method === 'PUT' || method === 'PATCH' ? {} : undefined);
      expectAsDocumented(method, template, answer);
    }
  });

  it.each([
    ['that is no JSON', 'application/json', '{'],
    ['of another type', 'text/plain', 'x'],
    ['that is too large', 'application/json', JSON.stringify('x'.repeat(2_000_000))],
    ['of lists in lists without end', 'application/json', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['of members in members', 'application/json', `${'{"userId":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
  ])('says what every route that is written to answers to a body %s', async (_, type, body) => {
    const written = routesWith('x').filter(({ method }) => ['POST', 'PUT', 'PATCH'].includes(method));
    for (const { method, template, path } of written) {
      const headers = { ...AUTHORIZED, 'content-type': type };
      const answer = await service.call({ method, path, headers, body });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expectAsDocumented(method, template, answer);
    }
  });

  it('is of routes below /v1 that all refuse a parameter that they do not know', async () => {
    const own = routesWith('x').filter(({ path }) => path.startsWith('/v1/') && !path.startsWith('/v1/me/'));
    for (const { method, template, path } of own) {
      const asked = `${path.replace('projections/x', 'projections/entitlements')}?dryRun=true`;
      const answer = await service.ask(method, asked, method === 'GET' ? undefined : {});
      const code = path === '/v1/introspect' ? 'unsupported_media_type' : 'unsupported_parameter';
      expect([method, path, answer.body.code]).toEqual([method, path, code]);
      expectAsDocumented(method, template, answer);
    }
  });

  it('says what deliveries are answered', async () => {
    const post = async (body: string, headers: Readonly<Record<string, string>>) => {
      const answer = await service.call({ method: 'POST', path: '/webhooks/stripe', headers, body });
      expectAsDocumented('POST', '/webhooks/stripe', answer);
      return answer.status;
    };
    const good = customerEvent();
    expect(await post(good, signedHeaders(good))).toBe(200);
    expect(await post(good, {})).toBe(400);
    const bad = customerEvent({ id: '' });
    expect(await post(bad, signedHeaders(bad))).toBe(422);
  });

  it('says what an introspection is answered', async () => {
    const { token } = (await service.ask('POST', '/v1/users/documented/token')).body;
    const headers = { ...AUTHORIZED, 'content-type': 'application/x-www-form-urlencoded' };
    for (const body of [`token=${token}`, 'token=x', 'token=']) {
      const answer = await service.call({ method: 'POST', path: '/v1/introspect', headers, body });
      expectAsDocumented('POST', '/v1/introspect', answer);
    }
  });

  it('says that an ETag may bring a 304, and a refusal a problem', async () => {
    const path = '/v1/users/x/entitlements';
    const headers = { ...AUTHORIZED, 'if-none-match': '*' };
    expectAsDocumented('GET', '/v1/users/{userId}/entitlements', await service.call({ path, headers }));
    expectAsDocumented('GET', '/v1/users/{userId}/entitlements', await service.call({ path }));
  });

  it('has every route that is served, and only those', async () => {
    const documented = Object.entries(document.paths)
      .flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      )
      .sort();
    expect(documented).toEqual([
      'DELETE /v1/checkouts/{sessionId}/link',
      'DELETE /v1/customers/{customerId}/link',
      'DELETE /v1/ops/projections/{name}/generations/{generation}',
      'DELETE /v1/ops/webhook-endpoints/{id}',
      'DELETE /v1/subscriptions/{subscriptionId}/link',
      'DELETE /v1/users/{userId}/grants/{grantId}',
      'DELETE /v1/users/{userId}/overrides/{key}',
      'GET /.well-known/jwks.json',
      'GET /access/v1/check',
      'GET /audit/log/checkpoint',
      'GET /audit/log/proof/{index}',
      'GET /audit/log/tile/{path}',
      'GET /audit/log/{tree}/checkpoint',
      'GET /audit/log/{tree}/proof/{index}',
      'GET /audit/log/{tree}/tile/{path}',
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
      'GET /ofrep/v1/event-stream',
      'GET /v1/audit/checkpoint',
      'GET /v1/audit/entitlements',
      'GET /v1/audit/events',
      'GET /v1/audit/users/{userId}/history',
      'GET /v1/checkout/sessions/{sessionId}',
      'GET /v1/me/entitlements',
      'GET /v1/me/entitlements/stream',
      'GET /v1/ops/conflicts',
      'GET /v1/ops/dead-letters',
      'GET /v1/ops/deliveries',
      'GET /v1/ops/deliveries/stream',
      'GET /v1/ops/erased-claims',
      'GET /v1/ops/faults',
      'GET /v1/ops/fraud-warnings',
      'GET /v1/ops/imports',
      'GET /v1/ops/missing-pseudonyms',
      'GET /v1/ops/pending-payments',
      'GET /v1/ops/projections',
      'GET /v1/ops/projections/{name}',
      'GET /v1/ops/projections/{name}/generations/{generation}/comparison',
      'GET /v1/ops/projections/{name}/rebuild',
      'GET /v1/ops/reconciliations/{id}',
      'GET /v1/ops/unjoined-payments',
      'GET /v1/ops/unlinked',
      'GET /v1/ops/unmapped-prices',
      'GET /v1/ops/webhook-endpoints',
      'GET /v1/ops/webhook-endpoints/{id}',
      'GET /v1/plans',
      'GET /v1/revocations',
      'GET /v1/revocations/stream',
      'GET /v1/users',
      'GET /v1/users/{userId}/entitlements',
      'GET /v1/users/{userId}/entitlements/stream',
      'GET /v1/users/{userId}/features/{key}',
      'GET /v1/users/{userId}/grants',
      'GET /v1/users/{userId}/overrides',
      'PATCH /v1/ops/webhook-endpoints/{id}',
      'PATCH /v1/users/{userId}/plan',
      'POST /access/v1/evaluation',
      'POST /access/v1/evaluations',
      'POST /ofrep/v1/evaluate/flags',
      'POST /ofrep/v1/evaluate/flags/{key}',
      'POST /v1/checkout/sessions',
      'POST /v1/customers/links',
      'POST /v1/entitlements/batch',
      'POST /v1/introspect',
      'POST /v1/ops/dead-letters/{id}/replay',
      'POST /v1/ops/imports',
      'POST /v1/ops/plans/diff',
      'POST /v1/ops/projections/{name}/rebuild',
      'POST /v1/ops/projections/{name}/resume',
      'POST /v1/ops/projections/{name}/rollback',
      'POST /v1/ops/projections/{name}/skip',
      'POST /v1/ops/projections/{name}/swap',
      'POST /v1/ops/projections/{name}/verify',
      'POST /v1/ops/reconciliations',
      'POST /v1/ops/webhook-endpoints',
      'POST /v1/ops/webhook-endpoints/{id}/rotate',
      'POST /v1/ops/webhook-endpoints/{id}/test',
      'POST /v1/portal/sessions',
      'POST /v1/users/{userId}/grants',
      'POST /v1/users/{userId}/token',
      'POST /webhooks/stripe',
      'PUT /v1/checkouts/{sessionId}/link',
      'PUT /v1/customers/{customerId}/link',
      'PUT /v1/subscriptions/{subscriptionId}/link',
      'PUT /v1/users/{userId}/overrides/{key}',
      'PUT /v1/users/{userId}/usage/{limit}',
    ]);
    const routes = servedRoutes(service.tenure.app.getHttpAdapter().getInstance());
    expect([...routes, `GET ${CHECK_PATH}`].sort()).toEqual(
      [...documented, 'GET /docs', 'GET /openapi.json'].sort(),
    );
  });

  it('names what else answers: every path at which a middleware stands', async () => {
    const sources = ['src/start/open-http.ts', 'src/api/openapi.ts', 'src/api/console/serve-console.ts'];
    const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
    const paths = texts.flatMap((text) => [...text.matchAll(/app\.use\(\s*(\[.*?\]|[^,()]+),/g)]);
    expect([...new Set(paths.map(([, path]) => path))].sort()).toEqual([...MIDDLEWARE.keys()].sort());
    const users = (await filesBelow('src')).filter((file) => !sources.includes(file));
    for (const file of users)
      expect([file, /\bapp\.use\(/.test(await readFile(file, 'utf8'))]).toEqual([file, false]);
  });

  it('says of every route below /v1 that it needs a key, and of its answers without one', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const { security, responses } of Object.values(operations)) {
        const isGuarded = /^\/(v1|ofrep|access)\//.test(path);
        const ways = OWN_WAYS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? [
          [{ key: [] }],
          [{ key: [] }, { user: [] }],
        ];
        expect(isGuarded ? ways : [[]]).toContainEqual(security);
        expect(Object.keys(responses).includes('401')).toBe(isGuarded);
        expect(Object.keys(responses).includes('403')).toBe(isGuarded);
      }
    }
  });

  describe('takes the position of a write wherever a user is read, so', () => {
    const reads = (): readonly { readonly route: string; readonly hasPosition: boolean }[] =>
      Object.entries(document.paths).flatMap(([path, operations]) =>
        Object.entries(operations).flatMap(([method, { parameters }]) => {
          const has = (name: string): boolean => parameters.some((each) => each.name === name);
          const isRead = method === 'get' || (method === 'post' && !has('Idempotency-Key'));
          return isRead
            ? [{ route: `${method.toUpperCase()} ${path}`, hasPosition: has('minPosition') }]
            : [];
        }),
      );
    const isNamed = (route: string): boolean =>
      WITHOUT_POSITION.some(([beginning]) => route.startsWith(beginning));

    it('every other route that reads has `minPosition`', () => {
      const without = reads().filter(({ route, hasPosition }) => hasPosition === isNamed(route));
      expect(without).toEqual([]);
      for (const [beginning] of WITHOUT_POSITION) {
        expect(reads().some(({ route }) => route.startsWith(beginning))).toBe(true);
      }
    });

    it('each waits for it, refuses one beyond the log, and tells its own', async () => {
      const written = await service.ask('PUT', '/v1/users/documented/usage/members', { value: 3 });
      const position = String(written.headers['tenure-position']);
      const own = reads().filter(({ route, hasPosition }) => hasPosition && !route.includes('/v1/me/'));
      expect(own.length).toBeGreaterThan(6);
      for (const { route } of own) {
        const [method = '', template = ''] = route.split(' ');
        const path = template.replace('{userId}', 'documented').replace('{key}', 'members');
        const body = path === '/v1/entitlements/batch' ? { userIds: ['documented'] } : undefined;
        const ask = (minPosition: string): Promise<Answer> =>
          service.ask(method, `${path}?minPosition=${minPosition}`, body);
        const beyond = await ask(FAR);
        expect([route, beyond.status, beyond.body.code]).toEqual([route, 412, 'position_unknown']);
        expect([route, (await ask('x')).status]).toEqual([route, 400]);
        if (path.endsWith('/stream')) continue; // tells positions as the ids of its events
        const { status, headers } = await ask(position);
        expect([route, status]).toEqual([route, 200]);
        expect(Number(headers['tenure-position'])).toBeGreaterThanOrEqual(Number(position));
      }
    });
  });

  it('lets every POST and PATCH that makes or changes something lasting be repeated under a key', () => {
    const others = [
      '/v1/portal/sessions',
      '/v1/entitlements/batch',
      '/v1/introspect',
      '/v1/users/{userId}/token',
      '/v1/ops/plans/diff',
      '/v1/ops/webhook-endpoints/{id}/test',
      '/v1/ops/projections/{name}/verify',
    ];
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, { parameters, responses }] of Object.entries(operations)) {
        const isKeyed = parameters.some(({ name }) => name === 'Idempotency-Key');
        if (!path.startsWith('/v1/') || !['post', 'patch'].includes(method)) continue;
        expect([method, path, isKeyed]).toEqual([method, path, !others.includes(path)]);
        expect(JSON.stringify(responses).includes('idempotency_key_reused')).toBe(isKeyed);
      }
    }
  });

  it('says of every route that a header may be too large', () => {
    const silent = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations)
        .filter(([, { responses }]) => responses['431'] === undefined)
        .map(([method]) => `${method} ${path}`),
    );
    expect(silent).toEqual([]);
  });

  it('names every parameter in a path, and every problem code there is', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const { parameters } of Object.values(operations)) {
        expect(parameters.filter((each) => each.in === 'path').map(({ name }) => name)).toEqual(names);
      }
    }
    const problem = z.looseObject({
      properties: z.looseObject({ code: z.looseObject({ enum: z.array(z.string()) }) }),
    });
    expect(problem.parse(document.components.schemas.Problem).properties.code.enum).toEqual(
      Object.keys(PROBLEMS),
    );
  });

  it('says of every route that names a user, and of deliveries, that the database may be away', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const says = (code: string) =>
      operations
        .filter(({ responses }) => JSON.stringify(responses).includes(`/${code}"`))
        .map(({ operationId }) => operationId);
    const away = says('database_unavailable');
    expect(says('user_erased')).toContain('putCustomersByCustomerIdLink');
    for (const operation of [...says('user_erased'), 'postWebhooksStripe']) expect(away).toContain(operation);
  });

  it('names operations after their routes, each once, and schemas once for all', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain('getUsersByUserIdEntitlements');
    const unnamed = operations.flatMap(({ operationId, responses }) =>
      Object.values(responses).some(
        ({ content = {} }) => content['application/json']?.schema?.type === 'object',
      )
        ? [operationId]
        : [],
    );
    expect(unnamed).toEqual([]);
  });

  it('shows an example of every reply that has a body, each as its own schema says', () => {
    const faults = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .flatMap(({ operationId, responses }) =>
        Object.entries(responses).flatMap(([status, { content = {} }]) =>
          Object.entries(content).flatMap(([type, described]) => {
            const reply = `${operationId} ${status} ${type}`;
            const examples = examplesOf(described);
            const { schema } = described;
            if (schema === undefined || examples.length === 0) return [`${reply} has no example`];
            return examples
              .filter((body) => faultsOf(body, schema).length > 0 || !isOfStatus(body, Number(status)))
              .map((body) => `${reply} has the example ${JSON.stringify(body)}`);
          }),
        ),
      );
    expect(faults).toEqual([]);
  });

  it('can be tried out at /docs', async () => {
    const page = await service.call({ path: '/docs' });
    expect(page.status).toBe(200);
    expect(page.headers['content-type']).toMatch(/^text\/html/);
    expect(page.headers['x-frame-options']).toBe('DENY');
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
    expect(assets.length).toBeGreaterThan(2);
    for (const asset of assets) {
      expect((await service.call({ path: new URL(asset, 'http://x/docs').pathname })).status).toBe(200);
    }
  });
});

/** Whether an example stands at the status that it tells; only problems tell one. */
function isOfStatus(body: unknown, status: number): boolean {
  const told: unknown = Reflect.get(Object(body), 'status');
  return typeof told !== 'number' || told === status;
}

/** The sources below a folder, without tests. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const found = await readdir(folder, { recursive: true });
  return found
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(folder, file));
}

/** What Express really serves, but for the files of Swagger's page. */
function servedRoutes(express: object): readonly string[] {
  const stack: unknown = Reflect.get(Object(Reflect.get(express, 'router')), 'stack');
  const layers = z
    .array(
      z.object({
        route: z.object({ path: z.string(), methods: z.record(z.string(), z.boolean()) }).optional(),
      }),
    )
    .parse(stack);
  return layers
    .flatMap(({ route }) =>
      route === undefined
        ? []
        : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${templateOf(route.path)}`),
    )
    .filter((route) => !route.startsWith('GET /docs/'))
    .filter((route, index, all) => all.indexOf(route) === index)
    .sort();
}

function templateOf(path: string): string {
  return path.replace(/[:*](\w+)/g, '{$1}');
}
