import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as ServerFeatures } from '@openfeature/server-sdk';
import { type Provider, OpenFeature as WebFeatures } from '@openfeature/web-sdk';
import createClient from 'openapi-fetch';
import openapiTS, { astToString } from 'openapi-typescript';
import { buyer, PLUS } from '../support/buyer.js';
import { compiledClient } from '../support/compiled-client.js';
import { TestEventSource } from '../support/event-source.js';
import { type Answer, problemCode } from '../support/http-call.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { ROUTED_PLANS } from '../support/routed-plans.js';
import { ADMIN_KEY, AUTHORIZED, startService, type TestService } from '../support/service.js';
import { stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { readEvents } from './support/event-reader.js';

const KEYED: [string, string][] = [['Authorization', `Bearer ${ADMIN_KEY}`]];
const FLAGS = '/ofrep/v1/evaluate/flags';

describe('The standards', () => {
  let provider: IdentityProvider;
  let service: TestService;
  beforeAll(async () => {
    provider = await IdentityProvider.start();
    service = await startService({ plans: ROUTED_PLANS, environment: provider.environment });
    const metadata = { user_id: 'paying' };
    const subscription = subscriptionObject('sub_standards', 'price_plus', { metadata });
    await service.after('paying', stripeEvent('customer.subscription.created', subscription));
    await service.ask('PUT', '/v1/users/given/overrides/members', { value: 'unlimited', reason: 'test' });
    const used = await service.ask('PUT', '/v1/users/paying/usage/members', { value: 7 });
    await service.entitlements('paying', used.body.position);
  });
  afterAll(async () => {
    await ServerFeatures.close();
    await WebFeatures.close();
    await service.close();
    await provider.close();
  });

  const context = (targetingKey: string) => ({ context: { targetingKey } });

  describe('of OpenFeature', () => {
    it('are spoken with its server SDK, unchanged', async () => {
      await ServerFeatures.setProviderAndWait(new OFREPProvider({ baseUrl: service.url, headers: KEYED }));
      const client = ServerFeatures.getClient();
      const paying = { targetingKey: 'paying' };
      expect(await client.getBooleanValue('export', false, paying)).toBe(true);
      expect(await client.getBooleanValue('export', true, { targetingKey: 'free' })).toBe(false);
      expect(await client.getNumberDetails('members', 0, paying)).toMatchObject({
        value: 500,
        reason: 'TARGETING_MATCH',
        flagMetadata: { plan: 'plus', used: 7 },
      });
      expect(await client.getBooleanDetails('api', true, paying)).toMatchObject({
        value: false,
        flagMetadata: { reason: 'not_in_plan', upgradeTo: 'pro' },
      });
      expect(await client.getBooleanDetails('teleport', false, paying)).toMatchObject({
        value: false,
        errorCode: 'FLAG_NOT_FOUND',
      });
      expect(await client.getBooleanDetails('export', false, {})).toMatchObject({
        errorCode: 'TARGETING_KEY_MISSING',
      });
    });

    it('are spoken with its web SDK by a token of the user, its cache set to network first', async () => {
      const headers: [string, string][] = [['Authorization', `Bearer ${await provider.token('paying')}`]];
      const web = new OFREPWebProvider({ baseUrl: service.url, headers, cacheMode: 'network-first' });
      // Its types leave out `undefined` where ours are exact about it.
      await WebFeatures.setProviderAndWait(web as Provider, { targetingKey: 'paying' });
      const client = WebFeatures.getClient();
      expect(client.getBooleanValue('export', false)).toBe(true);
      expect(client.getBooleanValue('api', true)).toBe(false);
      expect(client.getNumberDetails('members', 0)).toMatchObject({ value: 500, reason: 'TARGETING_MATCH' });
    });

    it('tell the web SDK of a change of the flags, which it fetches at once', async () => {
      Object.assign(globalThis, { EventSource: TestEventSource });
      const headers: [string, string][] = [['Authorization', `Bearer ${await provider.token('watching')}`]];
      const web = new OFREPWebProvider({ baseUrl: service.url, headers, cacheMode: 'network-first' });
      await WebFeatures.setProviderAndWait('watched', web as Provider, { targetingKey: 'watching' });
      const client = WebFeatures.getClient('watched');
      expect(client.getBooleanValue('export', true)).toBe(false);
      const metadata = { user_id: 'watching' };
      const subscription = subscriptionObject('sub_watching', 'price_plus', { metadata });
      await service.after('watching', stripeEvent('customer.subscription.created', subscription));
      await until('the flag to be on', () => client.getBooleanValue('export', false));
      await service.after(
        'watching',
        stripeEvent('customer.subscription.deleted', { ...subscription, status: 'canceled' }),
      );
      await until('the flag to be off', () => !client.getBooleanValue('export', true));
      await web.onClose?.();
    });

    it('tell by a ticket that comes with a user token, of other flags alone', async () => {
      const authorization = `Bearer ${await provider.token('told')}`;
      const asked = await service.ask('POST', FLAGS, undefined, { authorization });
      const [stream] = asked.body.eventStreams;
      expect(stream).toMatchObject({ type: 'sse', inactivityDelaySec: 120 });
      const { requestUri } = stream.endpoint;
      const again = { authorization, 'if-none-match': asked.headers.etag ?? '' };
      expect((await service.ask('POST', FLAGS, undefined, again)).status).toBe(304);

      const reader = await readEvents(service.url, 'GET', requestUri, undefined, { authorization: '' });
      const refetch = expect.objectContaining({ type: 'refetchEvaluation' });
      expect(await reader.first('message')).toEqual(refetch);
      const told = buyer('told', { ...PLUS, id: 'price_plus' });
      await service.receive(told.started('active').body);
      await until('the purchase to be told', () => reader.events.length > 1);
      const { position } = await service.receive(told.cancelsAtPeriodEnd().body);
      await service.entitlements('told', position);
      await service.receive(told.ends().body);
      await until('the end to be told', () => reader.events.length > 2);
      // Each tells what makes other flags: the end of a period that was announced does not.
      expect(reader.events.map(({ data, id }) => ({ data, version: id?.split('.')[1] }))).toEqual(
        ['0', '1', '2'].map((version) => ({ data: refetch, version })),
      );
      const last = reader.events.at(-1);
      expect(last?.data).toMatchObject({ etag: last?.id });
      const flagConfigEtag = encodeURIComponent(String(last?.id));
      const fetched = await service.ask('POST', `${FLAGS}?flagConfigEtag=${flagConfigEtag}`, undefined, {
        authorization,
      });
      expect(fetched.body.metadata).toMatchObject({ plan: 'free', version: 2 });
      reader.leave();
    });

    it('give no ticket to a key, and take one for nothing else', async () => {
      expect((await service.ask('POST', FLAGS, context('paying'))).body.eventStreams).toBeUndefined();
      const authorization = `Bearer ${await provider.token('paying')}`;
      const { body } = await service.ask('POST', FLAGS, undefined, { authorization });
      const [path = '', query = ''] = body.eventStreams[0].endpoint.requestUri.split('?');
      for (const refused of [
        path,
        `${path}?ticket=x`,
        `${path}?ticket=x&${query}`,
        `/v1/me/entitlements?${query}`,
        `/v1/me/entitlements/stream?${query}`,
        `/ofrep/v1/evaluate/flags?${query}`,
        `/access/v1/check?feature=export&${query}`,
      ]) {
        expect([refused, problemCode(await service.call({ path: refused }))]).toEqual([
          refused,
          refused.includes('check') ? 'unsupported_parameter' : 'unauthorized',
        ]);
      }
      const wrong = { authorization, 'last-event-id': '' };
      expect(problemCode(await service.call({ path, headers: wrong }))).toBe('unauthorized');
    });

    it('answer all flags at once with an ETag, and a 304 as long as nothing changed', async () => {
      const first = await service.ask('POST', FLAGS, context('paying'));
      expect(first.body).toEqual({
        flags: [
          { key: 'api', value: false, reason: 'TARGETING_MATCH', variant: 'off' },
          { key: 'export', value: true, reason: 'TARGETING_MATCH', variant: 'on' },
          { key: 'members', value: 500, reason: 'TARGETING_MATCH' },
          { key: 'reports', value: true, reason: 'TARGETING_MATCH', variant: 'on' },
        ],
        metadata: { plan: 'plus', role: 'paid', status: 'active', version: expect.any(Number) },
      });
      const headers = { 'if-none-match': first.headers.etag ?? '' };
      const again = await service.ask('POST', FLAGS, context('paying'), headers);
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', first.headers.etag]);
      expect((await service.ask('POST', FLAGS, context('other'), headers)).status).toBe(200);
    });

    it('say unlimited as the greatest integer, and that it is that', async () => {
      const { body } = await service.ask('POST', `${FLAGS}/members`, context('given'));
      expect(body).toMatchObject({ value: Number.MAX_SAFE_INTEGER, metadata: { unlimited: true } });
    });

    it.each([
      ['no body', undefined, 400, 'TARGETING_KEY_MISSING'],
      ['no key', { context: {} }, 400, 'TARGETING_KEY_MISSING'],
      ['a key that is no text', { context: { targetingKey: 7 } }, 400, 'INVALID_CONTEXT'],
      ['a key that is no user id', { context: { targetingKey: '\u0007' } }, 400, 'INVALID_CONTEXT'],
      ['a list', [], 400, 'INVALID_CONTEXT'],
    ])('refuse %s as the protocol says', async (_, body, status, errorCode) => {
      const bulk = await service.ask('POST', FLAGS, body);
      expect([bulk.status, bulk.body.errorCode]).toEqual([status, errorCode]);
      const single = await service.ask('POST', `${FLAGS}/export`, body);
      expect([single.status, single.body]).toEqual([
        status,
        expect.objectContaining({ key: 'export', errorCode }),
      ]);
    });

    it('refuse what is no JSON as the protocol says', async () => {
      const headers = { ...AUTHORIZED, 'content-type': 'application/json' };
      const answer = await service.call({ method: 'POST', path: `${FLAGS}/export`, headers, body: '{' });
      expect([answer.status, answer.body]).toEqual([
        400,
        expect.objectContaining({ key: 'export', errorCode: 'PARSE_ERROR' }),
      ]);
    });
  });

  describe('of AuthZEN', () => {
    const evaluate = (path: string, body: unknown, headers = {}): Promise<Answer> =>
      service.ask('POST', `/access/v1/${path}`, body, headers);
    const subject = { type: 'user', id: 'paying' };
    const action = { name: 'use' };
    const feature = (id: string) => ({ type: 'feature', id });
    const route = (id: string) => ({ type: 'route', id });

    it.each([
      [feature('export'), true, 'in_plan'],
      [feature('api'), false, 'not_in_plan'],
      [feature('teleport'), false, 'unknown_feature'],
      [feature('constructor'), false, 'unknown_feature'],
      [route('POST /api/exports'), true, 'in_plan'],
      [route('DELETE /api/exports'), false, 'no_route'],
      [route('GET /api/v2/x'), false, 'not_in_plan'],
      [route('GET /api/reports/../v2/x'), false, 'path_refused'],
      [route('/api/exports'), false, 'path_refused'],
      [{ type: 'document', id: '1' }, false, 'unknown_resource_type'],
    ])('decide about %j: %p, %s', async (resource, decision, reason) => {
      const { status, body } = await evaluate('evaluation', { subject, action, resource });
      expect([status, body.decision, body.context.reason]).toEqual([200, decision, reason]);
    });

    it('take several with defaults, and stop where the semantic says', async () => {
      const evaluations = [
        { resource: feature('reports') },
        { resource: feature('api') },
        {},
        { resource: 7 },
      ];
      const all = { subject, action, resource: feature('export'), evaluations };
      const decisions = async (evaluations_semantic?: string): Promise<readonly boolean[]> => {
        const { body } = await evaluate('evaluations', { ...all, options: { evaluations_semantic } });
        return body.evaluations.map(({ decision }: { readonly decision: boolean }) => decision);
      };
      expect(await decisions()).toEqual([true, false, true, false]);
      expect(await decisions('execute_all')).toEqual([true, false, true, false]);
      expect(await decisions('deny_on_first_deny')).toEqual([true, false]);
      expect(await decisions('permit_on_first_permit')).toEqual([true]);
      const { body } = await evaluate('evaluations', all);
      expect(body.evaluations[3].context.error.status).toBe(400);
      const single = await evaluate('evaluations', { subject, action, resource: feature('export') });
      expect(single.body).toEqual({ decision: true, context: { reason: 'in_plan', plan: 'plus' } });
    });

    it('refuse what lacks a part, and who asks about somebody else', async () => {
      expect(problemCode(await evaluate('evaluation', { subject, action }))).toBe('invalid_request');
      expect(problemCode(await evaluate('evaluations', { subject, action }))).toBe('invalid_request');
      const authorization = `Bearer ${await provider.token('other')}`;
      const asked = { subject, action, resource: feature('export') };
      expect(problemCode(await evaluate('evaluation', asked, { authorization }))).toBe('other_user');
      expect(
        problemCode(await evaluate('evaluations', { ...asked, evaluations: [{}] }, { authorization })),
      ).toBe('other_user');
      const unknown = { type: 'machine', id: 'x' };
      expect((await evaluate('evaluation', { ...asked, subject: unknown })).body.decision).toBe(false);
    });
  });

  describe('of proxies', () => {
    const CHECK = '/access/v1/check';
    let tokens: { readonly paying: string; readonly free: string; readonly entitlement: string };
    beforeAll(async () => {
      const { token } = (await service.ask('POST', '/v1/users/paying/token')).body;
      tokens = {
        paying: await provider.token('paying'),
        free: await provider.token('free'),
        entitlement: token,
      };
    });
    const check = (path: string, token: string | null, headers = {}, method = 'GET'): Promise<Answer> => {
      const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
      return service.call({ method, path, headers: { ...authorization, ...headers } });
    };
    const said = ({ status, headers }: Answer) => [status, headers['tenure-reason']];

    it('are told of a user token, an entitlement token, and a key that names the user', async () => {
      for (const token of [tokens.paying, tokens.entitlement]) {
        expect(said(await check(`${CHECK}?feature=export`, token))).toEqual([204, 'in_plan']);
        expect(said(await check(`${CHECK}?feature=api`, token))).toEqual([403, 'not_in_plan']);
        expect(problemCode(await check(`${CHECK}?feature=export&user=other`, token))).toBe('other_user');
      }
      expect(said(await check(`${CHECK}?feature=export`, tokens.free))).toEqual([403, 'not_in_plan']);
      expect(said(await check(`${CHECK}?feature=export&user=paying`, ADMIN_KEY))).toEqual([204, 'in_plan']);
      expect(problemCode(await check(`${CHECK}?feature=export`, ADMIN_KEY))).toBe('unauthorized');
    });

    it('are told 401 of nobody, however often, and of a token that holds no more', async () => {
      for (let n = 0; n < 25; n += 1) {
        expect((await check(`${CHECK}?feature=export`, n % 2 === 0 ? null : 'wrong')).status).toBe(401);
      }
      expect((await check(`${CHECK}?feature=export`, `${tokens.entitlement}x`)).status).toBe(401);
      expect((await check(`${CHECK}/api/exports`, null)).status).toBe(401);
      const subscription = subscriptionObject('sub_left', 'price_plus', { metadata: { user_id: 'left' } });
      await service.after('left', stripeEvent('customer.subscription.created', subscription));
      const { token } = (await service.ask('POST', '/v1/users/left/token')).body;
      expect((await check(`${CHECK}?feature=export`, token)).status).toBe(204);
      await service.after(
        'left',
        stripeEvent('customer.subscription.deleted', { ...subscription, status: 'canceled' }),
      );
      expect((await check(`${CHECK}?feature=export`, token)).status).toBe(401);
    });

    it.each([
      ['/api/exports', 'GET', 204, 'in_plan'],
      ['/api/exports', 'POST', 204, 'in_plan'],
      ['/api/exports', 'DELETE', 403, 'no_route'],
      ['/api/exports', 'OPTIONS', 403, 'no_route'],
      ['/api/%65xports', 'GET', 204, 'in_plan'],
      ['/api/v2/x', 'GET', 403, 'not_in_plan'],
      ['/api/v2/x?feature=reports&user=other&headers=forwarded', 'GET', 403, 'not_in_plan'],
      ['/api/reports/?feature=api', 'GET', 204, 'in_plan'],
      ['/', 'GET', 403, 'no_route'],
      ['/?feature=reports', 'GET', 403, 'no_route'],
      ['//api/reports/', 'GET', 403, 'path_refused'],
      ['/api/reports/../v2/x', 'GET', 403, 'path_refused'],
      ['/api/reports/%2e%2e/v2/x', 'GET', 403, 'path_refused'],
      ['/api/reports/..%2fv2', 'GET', 403, 'path_refused'],
      ['/api/reports/;x/..', 'GET', 403, 'path_refused'],
    ])('as Envoy asks, of %s by %s are told %d %s', async (path, method, status, reason) => {
      const forged = {
        'x-original-method': 'GET',
        'x-original-uri': '/api/reports/',
        'x-forwarded-uri': '/api/reports/',
      };
      expect(said(await check(`${CHECK}${path}`, tokens.paying, forged, method))).toEqual([status, reason]);
    });

    it('as nginx and Traefik ask, read the pair that is named and nothing else', async () => {
      const original = { 'x-original-method': 'POST', 'x-original-uri': '/api/exports?feature=api' };
      const forwarded = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/api/v2/x' };
      const both = { ...original, ...forwarded };
      expect(said(await check(CHECK, tokens.paying, both))).toEqual([204, 'in_plan']);
      expect(said(await check(`${CHECK}?headers=forwarded`, tokens.paying, both))).toEqual([
        403,
        'not_in_plan',
      ]);
      for (const half of [
        {},
        { 'x-original-method': 'GET' },
        { 'x-original-uri': '/api/exports' },
        forwarded,
      ]) {
        expect(problemCode(await check(CHECK, tokens.paying, half))).toBe('invalid_request');
      }
      expect(problemCode(await check(`${CHECK}?headers=forwarded`, tokens.paying, original))).toBe(
        'invalid_request',
      );
      expect(problemCode(await check(`${CHECK}?headers=x`, tokens.paying, both))).toBe('invalid_request');
      expect(problemCode(await check(`${CHECK}?feature=export&feature=api`, tokens.paying))).toBe(
        'invalid_request',
      );
      expect(problemCode(await check(`${CHECK}?fature=export`, tokens.paying))).toBe('unsupported_parameter');
    });
  });

  it('keep every path below them from who has no key, existing or not', async () => {
    for (const path of [
      FLAGS,
      '/ofrep/x',
      '/access/v1/evaluation',
      '/access',
      '/OFREP/v1',
      '/access/v1/checks',
    ]) {
      expect(problemCode(await service.call({ path, from: '127.0.0.9' }))).toBe('unauthorized');
    }
  });

  it('work with a client that openapi-typescript generated, as it comes', async () => {
    const document = (await service.call({ path: '/openapi.json' })).text;
    const types = astToString(await openapiTS(document));
    const { use } = await compiledClient(types);
    expect(await use(createClient, service.url, ADMIN_KEY)).toEqual({
      plan: 'plus',
      allowed: true,
      hasToken: true,
      active: false,
      exported: true,
      decision: true,
      missing: 'not_found',
    });
  });
});
