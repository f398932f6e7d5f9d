import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { runCli } from '../../src/cli/program.js';
import { loadSettings } from '../../src/config/settings.js';
import { buyer } from '../support/buyer.js';
import { type Answer, call, problemCode, whenLevel } from '../support/http-call.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';

const FORM = { ...AUTHORIZED, 'content-type': 'application/x-www-form-urlencoded' };

describe('Entitlement tokens', () => {
  let provider: IdentityProvider;
  let service: TestService;
  let second: Tenure;
  const paying = buyer('paying').started('active');
  beforeAll(async () => {
    provider = await IdentityProvider.start();
    service = await startService({
      environment: { ...SHIPPED_PLANS, ...provider.environment, TOKEN_ISSUER: 'https://tenure.example.test' },
    });
    second = await createTenure(loadSettings(service.environment), { threads: 'none' });
    const { position } = await service.receive(paying.body);
    await service.entitlements('paying', position);
  });
  afterAll(async () => {
    await second.close();
    await service.close();
    await provider.close();
  });

  async function tokenOf(userId: string): Promise<string> {
    const { status, body } = await service.ask('POST', `/v1/users/${userId}/token`);
    expect(status).toBe(200);
    return body.token;
  }

  function introspect(token: string, at = service.url): Promise<Answer> {
    const body = new URLSearchParams({ token }).toString();
    return call(at, { method: 'POST', path: '/v1/introspect', headers: FORM, body });
  }

  it('tell what their user may do, and are verified by the keys that any instance publishes', async () => {
    const answer = await service.ask('POST', '/v1/users/paying/token');
    const snapshot = await service.entitlements('paying');
    const { token, expiresAt, version } = answer.body;
    expect([answer.headers['cache-control'], version]).toEqual(['no-store', snapshot.revocationVersion]);
    for (const instance of [service.tenure, second]) {
      const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', instance.url));
      const { payload, protectedHeader } = await jwtVerify(token, keys);
      expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'entitlements+jwt' });
      const { iat = 0, exp = 0, ...said } = payload;
      const { role, plan, status, features, limits } = snapshot;
      const all = { iss: 'https://tenure.example.test', sub: 'paying', ver: version };
      expect(said).toEqual({ ...all, role, plan, status, features, limits });
      expect([exp - iat, new Date(exp * 1_000).toISOString()]).toEqual([300, expiresAt]);
    }
  });

  it('are given to the user whose they are, and to nobody else', async () => {
    const authorization = `Bearer ${await provider.token('paying')}`;
    const ask = (userId: string) =>
      service.ask('POST', `/v1/users/${userId}/token`, undefined, { authorization });
    expect((await ask('paying')).status).toBe(200);
    expect(problemCode(await ask('other'))).toBe('other_user');
    expect(problemCode(await service.call({ method: 'POST', path: '/v1/users/paying/token' }))).toBe(
      'unauthorized',
    );
    expect(problemCode(await service.ask('POST', '/v1/users/%07/token'))).toBe('invalid_user_id');
    const introspected = await service.call({
      method: 'POST',
      path: '/v1/introspect',
      headers: { ...FORM, authorization },
      body: 'token=x',
    });
    expect(problemCode(introspected)).toBe('forbidden');
  });

  it('are inactive on every instance once the version that they tell of is stale', async () => {
    const leaving = buyer('leaving');
    const { position } = await service.receive(leaving.started('active').body);
    await service.entitlements('leaving', position);
    const token = await tokenOf('leaving');
    const { active, ...said } = (await introspect(token, second.url)).body;
    expect([active, said]).toEqual([true, decodeJwt(token)]);
    const canceled = await service.receive(leaving.ends().body);
    await service.entitlements('leaving', canceled.position);
    expect((await introspect(token)).body).toEqual({ active: false });
    const path = `/v1/users/leaving/entitlements?minPosition=${canceled.position}`;
    await whenLevel(() => call(second.url, { path, headers: AUTHORIZED }));
    expect((await introspect(token, second.url)).body).toEqual({ active: false });
    expect((await introspect(await tokenOf('leaving'))).body).toMatchObject({ active: true, plan: 'free' });
  });

  it('are inactive where they ended, were changed, or are of somebody else', async () => {
    const token = await tokenOf('paying');
    const [head = '', , signature = ''] = token.split('.');
    const claims = decodeJwt(token);
    const forged = Buffer.from(JSON.stringify({ ...claims, plan: 'pro' })).toString('base64url');
    const { kid } = decodeProtectedHeader(token);
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'entitlements+jwt', kid }));
    const shared = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'entitlements+jwt', kid: kid ?? '' })
      .sign(
        Buffer.from((await service.call({ path: '/.well-known/jwks.json' })).body.keys[0].x, 'base64url'),
      );
    const others = [
      `${head}.${forged}.${signature}`,
      `${unsigned.toString('base64url')}.${forged}.`,
      `${token}x`,
      shared,
      await provider.token('paying'),
      '',
      'x',
      `${token}.${token}`,
    ];
    for (const other of others.filter((each) => each !== '')) {
      expect((await introspect(other)).body).toEqual({ active: false });
    }
    expect((await introspect(token)).body).toMatchObject({ active: true });
    expect(problemCode(await introspect(''))).toBe('invalid_request');
  });

  it('are introspected by a form, as RFC 7662 has it, and by nothing else', async () => {
    const ask = (body: string, headers: Readonly<Record<string, string>>) =>
      service.call({ method: 'POST', path: '/v1/introspect', headers, body });
    expect(
      problemCode(await ask('{"token":"x"}', { ...AUTHORIZED, 'content-type': 'application/json' })),
    ).toBe('unsupported_media_type');
    expect(problemCode(await ask('token=x&token=y', FORM))).toBe('invalid_request');
    expect(problemCode(await ask('token_type_hint=access_token', FORM))).toBe('invalid_request');
    expect((await ask('token=x&token_type_hint=access_token&more=y', FORM)).body).toEqual({ active: false });
  });

  it('stay verifiable when the keys are rotated at the command line', async () => {
    const token = await tokenOf('paying');
    const tenure = async (...args: readonly string[]): Promise<string> => {
      let out = '';
      const environment = service.environment;
      const code = await runCli(args, {
        environment,
        out: (text) => {
          out += text;
        },
        err: () => undefined,
      });
      expect(code).toBe(0);
      return out;
    };
    const made = JSON.parse(await tenure('tokens', 'rotate', '--json'));
    const listed = JSON.parse(await tenure('tokens', 'keys', '--json'));
    expect(listed.map(({ state }: { readonly state: string }) => state)).toEqual(['signs', 'waits']);
    expect(listed[0].kid).toBe(decodeProtectedHeader(token).kid);
    expect(listed[1]).toEqual(made);
    expect(listed[0].signsUntil).toBe(made.signsFrom);
    expect(await tenure('tokens', 'keys')).toContain(made.kid);
    const third = await createTenure(loadSettings(service.environment), { threads: 'none' });
    const jwks = await call(third.url, { path: '/.well-known/jwks.json' });
    await third.close();
    expect(jwks.headers['content-type']).toBe('application/jwk-set+json');
    expect(jwks.body.keys.map(({ kid }: { readonly kid: string }) => kid)).toEqual([listed[0].kid, made.kid]);
    expect(jwks.text).not.toContain('"d"');
    expect((await introspect(token)).body).toMatchObject({ active: true });
  });
});
