import { SignJWT, UnsecuredJWT } from 'jose';
import { AUDIENCE, IdentityProvider, ISSUER } from '../../test/support/identity-provider.js';
import { until } from '../../test/support/until.js';
import { ProblemError } from '../http/problem.js';
import type { Principal } from './authenticator.js';
import { UserTokenAuthenticator } from './user-token.authenticator.js';
import { UserTokenKeys } from './user-token.keys.js';

const NOW = Date.parse('2026-11-20T12:00:00.000Z');
const SECOND = NOW / 1_000;

describe('A user token', () => {
  let provider: IdentityProvider;
  beforeEach(async () => {
    provider = await IdentityProvider.start();
  });
  afterEach(() => provider.close());

  /** Who checks tokens on a clock of the test's; a provider is asked again at once, unless it is said otherwise. */
  function checking(
    options: {
      readonly askAgainMs?: number;
      readonly answerWithinMs?: number;
      readonly userClaim?: string;
    } = {},
  ) {
    const { askAgainMs = 0, answerWithinMs = 60_000, userClaim = 'sub' } = options;
    const troubles: unknown[] = [];
    const clock = { now: NOW };
    const keys = new UserTokenKeys({
      url: provider.url,
      onTrouble: (error) => troubles.push(error),
      askAgainMs,
      answerWithinMs,
      refreshAfterMs: 0,
    });
    const authenticator = new UserTokenAuthenticator({
      settings: { jwksUrl: provider.url, issuer: ISSUER, audience: AUDIENCE, userClaim },
      userIds: { userIdMetadataKey: 'user_id', userIdPattern: /^[\w|-]+$/u },
      keys,
      now: () => clock.now,
    });
    const authenticate = (token: string) => authenticator.authenticate(token);
    return { authenticate, troubles, clock };
  }

  const isOf = (userId: string): Partial<Principal> => ({ kind: 'user', actor: `user:${userId}`, userId });

  it.each(['ES256', 'RS256', 'PS256', 'EdDSA'])('signed with %s says whose it is', async (alg) => {
    await provider.rotate(alg);
    const { authenticate } = checking();
    expect(await authenticate(await provider.token('auth0|u1', {}, NOW))).toMatchObject({
      ...isOf('auth0|u1'),
      expiresAt: (SECOND + 305) * 1_000,
    });
  });

  it('says it in the claim that the settings name', async () => {
    const { authenticate } = checking({ userClaim: 'https://app.example/id' });
    const claims = { 'https://app.example/id': 'mine' };
    expect(await authenticate(await provider.token('theirs', claims, NOW))).toMatchObject(isOf('mine'));
    expect(await authenticate(await provider.token('theirs', {}, NOW))).toBeNull();
  });

  it.each([
    ['of another audience', { aud: 'another' }],
    ['of no audience', { aud: undefined }],
    ['of another issuer', { iss: 'https://login.example.test' }],
    ['of no issuer', { iss: undefined }],
    ['that has expired', { exp: SECOND - 6 }],
    ['that never expires', { exp: undefined }],
    ['that does not hold yet', { nbf: SECOND + 6 }],
    ['of no user', { sub: undefined }],
    ['of a number', { sub: 42 }],
    ['of several users', { sub: ['u1', 'u2'] }],
    ['of a user id that cannot be', { sub: 'a\u0000b' }],
    ['of a user id outside the pattern', { sub: 'a b' }],
  ])('%s is refused', async (_, claims) => {
    const { authenticate, troubles } = checking();
    expect(await authenticate(await provider.token('u1', claims, NOW))).toBeNull();
    expect(troubles).toEqual([]);
  });

  it('for several audiences counts when ours is one of them, and a clock may differ by five seconds', async () => {
    const { authenticate } = checking();
    const claims = { aud: ['another', AUDIENCE], nbf: SECOND + 5, exp: SECOND - 4 };
    expect(await authenticate(await provider.token('u1', claims, NOW))).toMatchObject(isOf('u1'));
  });

  it('that nobody signed, or anyone could have, is refused', async () => {
    const { authenticate } = checking();
    const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'u1', exp: SECOND + 300 };
    expect(await authenticate(new UnsecuredJWT(claims).encode())).toBeNull();
    const [header, payload] = (await provider.token('u1', {}, NOW)).split('.');
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    for (const forged of [`${none}.${payload}.AA`, `${header}.${payload}.AAAA`, `${header}.${payload}.`]) {
      expect(await authenticate(forged)).toBeNull();
    }
    const published = await (await fetch(provider.url)).text();
    const shared = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'key-1' });
    expect(await authenticate(await shared.sign(Buffer.from(published)))).toBeNull();
  });

  it.each(['', 'x', 'a.b', '..', `${'a'.repeat(9_000)}.bb.cc`, 'e30.e30.e30', '!!.!!.!!'])(
    'is not %j',
    async (token) => {
      expect(await checking().authenticate(token)).toBeNull();
    },
  );

  it('is verified once and known at once, as long as it holds and for a minute at most', async () => {
    const { authenticate, clock } = checking();
    const token = await provider.token('u1', { exp: SECOND + 1_000_000 }, NOW);
    const user = await authenticate(token);
    provider.withdrawAll();
    clock.now = NOW + 59_999;
    expect(authenticate(token)).toBe(user); // no promise: nothing is waited for
    await until('the withdrawn key is noticed', async () => {
      clock.now += 60_000;
      return (await authenticate(token)) === null;
    });

    clock.now = NOW;
    await provider.rotate();
    const short = await provider.token('u1', { exp: SECOND + 10 }, NOW);
    await until('the new key is known', async () => (await authenticate(short)) !== null);
    clock.now = NOW + 15_000;
    expect(await authenticate(short)).toBeNull();
  });

  it('of a key that is new is taken, and the provider is asked once for however many', async () => {
    const { authenticate } = checking({ askAgainMs: 60_000 });
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => provider.token(`u${n}`, {}, NOW)));
    const users = await Promise.all(tokens.map(authenticate));
    expect(users.map((user) => user?.kind)).toEqual(tokens.map(() => 'user'));
    expect(provider.asked).toBe(1);

    const eager = checking();
    await eager.authenticate(tokens[0] ?? '');
    await provider.rotate();
    expect(await eager.authenticate(await provider.token('u1', {}, NOW))).toMatchObject(isOf('u1'));
  });

  it('of a key that nobody told does not have the provider asked for each', async () => {
    const { authenticate } = checking({ askAgainMs: 60_000 });
    const other = await IdentityProvider.start();
    await Promise.all(Array.from({ length: 5 }, () => other.rotate()));
    const foreign = await other.token('u1', {}, NOW);
    await other.close();
    for (let n = 0; n < 5; n += 1) expect(await authenticate(foreign)).toBeNull();
    expect(provider.asked).toBeLessThanOrEqual(2);
  });

  it.each(['away', 'silent', 'broken'] as const)(
    'is neither taken nor refused while the provider is %s, but for those whose key is known',
    async (mood) => {
      const { authenticate, troubles } = checking(mood === 'silent' ? { answerWithinMs: 2_000 } : {});
      const before = await provider.token('u1', {}, NOW);
      const later = await provider.token('u2', {}, NOW);
      await authenticate(before);
      provider.mood = mood;
      expect(await authenticate(later)).toMatchObject(isOf('u2'));
      await provider.rotate();
      const unknown = await provider.token('u3', {}, NOW);
      const refusal = await Promise.resolve(authenticate(unknown)).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(ProblemError);
      expect(refusal).toMatchObject({ code: 'user_keys_unavailable' });
      expect(troubles.length).toBeGreaterThan(0);
      provider.mood = 'well';
      expect(await authenticate(unknown)).toMatchObject(isOf('u3'));
    },
  );

  it('has a provider that does not answer left alone for a while', async () => {
    provider.mood = 'away';
    const { authenticate, troubles } = checking({ askAgainMs: 60_000 });
    const token = await provider.token('u1', {}, NOW);
    for (let n = 0; n < 5; n += 1) {
      await expect(authenticate(token)).rejects.toMatchObject({ code: 'user_keys_unavailable' });
    }
    expect([provider.asked, troubles.length]).toEqual([1, 1]);
  });
});
