import { FakeTenure, ISSUER, KEY } from '../../test/fake-tenure.js';
import { ManualClock } from '../../test/manual-clock.js';
import { until } from '../../test/until.js';
import { createGuard, type Guard, type GuardOptions } from './guard.js';

const START = Date.parse('2026-11-29T12:00:00Z');

let tenure: FakeTenure;
let clock: ManualClock;
let guards: Guard[];
let troubles: unknown[];

beforeEach(async () => {
  tenure = await FakeTenure.start();
  clock = new ManualClock(START);
  guards = [];
  troubles = [];
});
afterEach(async () => {
  for (const guard of guards) guard.close();
  await tenure.close();
});

function guardWith(options: Partial<GuardOptions> = {}): Guard {
  const guard = createGuard({
    url: tenure.url,
    key: KEY,
    issuer: ISSUER,
    clock,
    random: () => 1,
    onTrouble: (error) => troubles.push(error),
    ...options,
  });
  guards.push(guard);
  return guard;
}

/** A guard that has read everything and holds its stream. */
async function followingGuard(options: Partial<GuardOptions> = {}): Promise<Guard> {
  const guard = guardWith(options);
  await guard.ready();
  await until('the stream is held', () => tenure.streams === 1);
  return guard;
}

const now = (): number => clock.now().wall;

describe('A guard, about tokens', () => {
  it.each(['EdDSA', 'ES256'] as const)('lets through one that holds, signed by %s', async (alg) => {
    await tenure.rotate(alg);
    const guard = guardWith();
    const claims = { faulted: { since: '2026-11-29T11:00:00.000Z', position: '12' } };
    expect(await guard.check(await tenure.token(now(), claims))).toMatchObject({
      valid: true,
      claims: { sub: 'u1', ver: 1, limits: { members: 500, seats: 'unlimited' }, ...claims },
    });
  });

  it('asks nobody for one, be it new or seen before', async () => {
    const guard = await followingGuard();
    const asked = tenure.asked.length;
    const token = await tenure.token(now());
    expect(await guard.check(token)).toMatchObject({ valid: true });
    expect(await guard.check(token)).toMatchObject({ valid: true });
    expect(tenure.asked).toHaveLength(asked);
  });

  it.each([
    ['none', '', 'no_token'],
    ['no token', 'xyz', 'malformed'],
    ['four parts', 'e30.e30.AAAA.AAAA', 'malformed'],
  ])('refuses %s', async (_, token, reason) => {
    expect(await guardWith().check(token)).toEqual({ valid: false, reason, claims: null });
  });

  it.each([
    ['of another type', {}, { typ: 'JWT' }, 'unknown_kind'],
    ['with something critical in its header', {}, { b64: true, crit: ['b64'] }, 'unknown_kind'],
    ['by a key that is not published', {}, { kid: 'other' }, 'unknown_key'],
    ['of another issuer', { iss: 'https://other.example.test' }, {}, 'wrong_issuer'],
    ['without a version', { ver: undefined }, {}, 'malformed'],
    ['with features that are no list', { features: 'export' }, {}, 'malformed'],
    ['with a limit that is a text', { limits: { members: '500' } }, {}, 'malformed'],
    ['whose end is now', { exp: START / 1_000 }, {}, 'expired'],
  ])('refuses one %s', async (_, claims, header, reason) => {
    expect(await guardWith().check(await tenure.token(now(), claims, header))).toMatchObject({ reason });
  });

  it('refuses one whose words are not those that were signed, and one that names the other algorithm', async () => {
    const guard = guardWith();
    const [header = '', , signature = ''] = (await tenure.token(now())).split('.');
    const [, payload = ''] = (await tenure.token(now(), { role: 'admin' })).split('.');
    expect(await guard.check(`${header}.${payload}.${signature}`)).toMatchObject({ reason: 'bad_signature' });
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString());
    const said = { alg: 'ES256', kid, typ: 'entitlements+jwt' };
    const other = Buffer.from(JSON.stringify(said)).toString('base64url');
    expect(await guard.check(`${other}.${payload}.${signature}`)).toMatchObject({ reason: 'unknown_key' });
    const none = Buffer.from(JSON.stringify({ ...said, alg: 'none' })).toString('base64url');
    expect(await guard.check(`${none}.${payload}.AA`)).toMatchObject({ reason: 'unknown_kind' });
  });

  it('refuses one from the moment at which it ends, also when it was let through before', async () => {
    const guard = guardWith();
    const token = await tenure.token(now());
    expect(await guard.check(token)).toMatchObject({ valid: true });
    clock.advance(300_000);
    expect(await guard.check(token)).toMatchObject({ reason: 'expired' });
  });

  it('tells what is lacking by its kind', async () => {
    const guard = guardWith();
    const token = await tenure.token(now());
    expect(await guard.decide(token, { feature: 'export' })).toMatchObject({ allowed: true, reason: 'held' });
    expect(await guard.decide(token, { feature: 'api' })).toMatchObject({
      allowed: false,
      reason: 'not_in_plan',
      claims: { plan: 'plus' },
    });
    expect(await guard.decide(token, { role: 'paid' })).toMatchObject({ allowed: true });
    expect(await guard.decide(token, { role: 'free' })).toMatchObject({ reason: 'other_role' });
  });
});

describe('A guard, about keys', () => {
  it('learns of a new one by the first token that names it, and asks once for many such tokens', async () => {
    const guard = await followingGuard();
    clock.advance(5_000);
    await tenure.rotate('ES256');
    const before = tenure.timesAsked('/.well-known');
    const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => tenure.token(now(), { sub })));
    for (const check of await Promise.all(tokens.map((token) => guard.check(token)))) {
      expect(check).toMatchObject({ valid: true });
    }
    const forged = await tenure.token(now(), {}, { kid: 'made-up' });
    for (let times = 0; times < 20; times += 1) {
      expect(await guard.check(forged)).toMatchObject({ reason: 'unknown_key' });
    }
    expect(tenure.timesAsked('/.well-known')).toBe(before + 1);
  });

  it('believes one no longer once it is withdrawn, not even for a token that it verified', async () => {
    const guard = await followingGuard();
    const token = await tenure.token(now());
    expect(await guard.check(token)).toMatchObject({ valid: true });
    await tenure.rotate('EdDSA');
    tenure.withdrawOld();
    const before = tenure.timesAsked('/.well-known');
    await until('keys were read', () => {
      clock.advance(1_000);
      return tenure.timesAsked('/.well-known') > before;
    });
    await until('it is refused', async () => !(await guard.check(token)).valid);
    expect(await guard.check(token)).toMatchObject({ reason: 'unknown_key' });
  });

  it('says so when they cannot be read', async () => {
    tenure.moods.keys = 'cut';
    const guard = guardWith();
    const token = await tenure.token(now());
    expect(await guard.check(token)).toMatchObject({ reason: 'keys_unread' });
    expect(await guard.check(token)).toMatchObject({ reason: 'keys_unread' });
    tenure.moods.keys = 'well';
    clock.advance(1_000);
    expect(await guard.check(token)).toMatchObject({ valid: true });
  });
});

describe('A guard, about revocations', () => {
  it('refuses what was issued before a change that it read of, over as many pages as there are', async () => {
    tenure.pageSize = 3;
    for (let id = 0; id < 10; id += 1) tenure.revoke(`u${id}`, id + 2);
    const guard = guardWith();
    const old = await tenure.token(now(), { sub: 'u9', ver: 10 });
    expect(await guard.check(old)).toEqual({ valid: false, reason: 'stale', claims: null });
    expect(await guard.check(await tenure.token(now(), { sub: 'u9', ver: 11 }))).toMatchObject({
      valid: true,
    });
  });

  it('refuses it once the stream tells of it, with no time passing', async () => {
    const guard = await followingGuard();
    const token = await tenure.token(now());
    expect(await guard.check(token)).toMatchObject({ valid: true });
    tenure.revoke('u1', 2);
    await until('it is refused', async () => !(await guard.check(token)).valid);
    expect(await guard.check(token)).toMatchObject({ reason: 'stale' });
  });

  it('learns of it by pages where no stream gets through', async () => {
    tenure.moods.stream = 'held';
    const guard = guardWith();
    await guard.ready();
    const token = await tenure.token(now());
    tenure.revoke('u1', 2);
    await until('it is refused', async () => {
      clock.advance(1_000);
      return !(await guard.check(token)).valid;
    });
    expect(await guard.check(token)).toMatchObject({ reason: 'stale' });
  });

  it('opens its stream again where it ended, and misses nothing', async () => {
    const guard = await followingGuard();
    tenure.moods.pages = 'held';
    tenure.cutStreams();
    await until('it is gone', () => tenure.streams === 0);
    tenure.revoke('u1', 2);
    await until('the stream is back', () => {
      clock.advance(100);
      return tenure.streams === 1;
    });
    const token = await tenure.token(now());
    await until('it is refused', async () => (await guard.check(token)).claims === null);
    expect(await guard.check(token)).toMatchObject({ reason: 'stale' });
  });

  it('asks a service that is full for its stream no sooner than that said, and goes on by pages', async () => {
    tenure.moods.stream = 'full';
    const guard = guardWith();
    await guard.ready();
    const asked = (): number => tenure.asked.filter((path) => path.endsWith('/stream')).length;
    await until('it was refused', () => troubles.length === 1);
    const token = await tenure.token(now());
    tenure.revoke('u1', 2);
    for (let second = 1; second < 10; second += 1) {
      await until('a page is asked for', async () => !(await guard.check(token)).valid || second < 3);
      clock.advance(1_000);
    }
    expect(await guard.check(token)).toMatchObject({ reason: 'stale' });
    expect(asked()).toBe(1);
    tenure.moods.stream = 'well';
    await until('the stream is held', () => {
      clock.advance(250);
      return tenure.streams === 1;
    });
    expect(asked()).toBe(2);
  });

  it('asks for pages no sooner than a full service said', async () => {
    await followingGuard();
    tenure.moods.pages = 'full';
    const asked = (): number => tenure.asked.filter((path) => path === '/v1/revocations').length;
    clock.advance(5_000);
    await until('a page was refused', () => troubles.length > 0);
    const before = asked();
    let seconds = 0;
    await until('a page is asked for again', () => {
      clock.advance(1_000);
      seconds += 1;
      return asked() > before;
    });
    expect(seconds).toBeGreaterThanOrEqual(10);
  });

  it('refuses everything at a line of a kind that it does not know, and does not go past it', async () => {
    const guard = await followingGuard();
    const token = await tenure.token(now());
    tenure.revoke('o1', 2, 'organisation');
    await until('it is refused', async () => !(await guard.check(token)).valid);
    tenure.revoke('u2', 2);
    clock.advance(5_000);
    expect(await guard.check(token)).toMatchObject({ reason: 'feed_unreadable' });
    expect(await guard.decide(token, { feature: 'export' })).toMatchObject({ allowed: false });
  });
});

describe('A guard, where the feed is silent', () => {
  /** How far the clock moves until the token is refused, in milliseconds. */
  async function refusedAfter(guard: Guard, token: string): Promise<number> {
    const began = clock.now().steady;
    await until('it is refused', async () => {
      clock.advance(500);
      return !(await guard.check(token)).valid;
    });
    return clock.now().steady - began;
  }

  it('refuses after maxStaleMs, from when the last answer was asked for', async () => {
    const guard = await followingGuard({ maxStaleMs: 20_000 });
    const token = await tenure.token(now());
    tenure.moods.pages = 'cut';
    tenure.moods.stream = 'cut';
    tenure.cutStreams();
    expect(await refusedAfter(guard, token)).toBe(20_500);
    expect(await guard.check(token)).toMatchObject({ reason: 'feed_silent', claims: { sub: 'u1' } });
  });

  it('refuses also while a stream goes on with heartbeats, since a proxy may have kept them', async () => {
    const guard = await followingGuard({ maxStaleMs: 20_000 });
    const token = await tenure.token(now());
    tenure.moods.pages = 'held';
    await until('it is refused', async () => {
      tenure.beat();
      clock.advance(500);
      return !(await guard.check(token)).valid;
    });
    expect(clock.now().steady).toBe(20_500);
    expect(tenure.streams).toBe(1);
  });

  it('counts an answer that was long on its way from when it was asked for', async () => {
    tenure.moods.pages = 'held';
    const guard = guardWith({ maxStaleMs: 10_000, follow: 'checks' });
    const ready = guard.ready();
    await until('it was asked', () => tenure.timesAsked('/v1/revocations') === 1);
    clock.advance(4_900);
    tenure.release();
    await ready;
    const token = await tenure.token(now());
    tenure.moods.pages = 'cut';
    clock.advance(5_100);
    expect(await guard.check(token)).toMatchObject({ valid: true });
    clock.advance(1);
    expect(await guard.check(token)).toMatchObject({ reason: 'feed_silent' });
  });

  it('is not deceived by a wall clock that is set back', async () => {
    const guard = await followingGuard();
    const token = await tenure.token(now());
    tenure.moods.pages = 'cut';
    clock.set(START - 3_600_000);
    clock.advance(30_001);
    expect(await guard.check(token)).toMatchObject({ reason: 'feed_silent' });
  });

  it('lets through the features that it was told to, and only what is not known to be stale', async () => {
    const guard = await followingGuard({ openWhileSilent: ['export'] });
    tenure.revoke('u2', 5);
    const stale = await tenure.token(now(), { sub: 'u2' });
    await until('it is refused', async () => !(await guard.check(stale)).valid);
    const token = await tenure.token(now(), { features: ['export', 'api'] });
    tenure.moods.pages = 'cut';
    tenure.moods.stream = 'cut';
    clock.advance(60_000);
    expect(await guard.decide(token, { feature: 'export' })).toMatchObject({
      allowed: true,
      reason: 'open_while_silent',
    });
    expect(await guard.decide(token, { feature: 'api' })).toMatchObject({ reason: 'feed_silent' });
    expect(await guard.decide(token, { role: 'paid' })).toMatchObject({ reason: 'feed_silent' });
    expect(await guard.decide(stale, { feature: 'export' })).toMatchObject({ reason: 'stale' });
    const lacking = await tenure.token(now(), { features: [] });
    expect(await guard.decide(lacking, { feature: 'export' })).toMatchObject({ reason: 'not_in_plan' });
  });

  it('lets through again once it is answered', async () => {
    const guard = await followingGuard();
    const token = await tenure.token(now());
    tenure.moods.pages = 'cut';
    await refusedAfter(guard, token);
    tenure.moods.pages = 'well';
    await until('it is let through', async () => {
      clock.advance(100);
      return (await guard.check(token)).valid;
    });
  });
});

describe('A guard ahead of a feed that was restored', () => {
  it('refuses until it has read anew, and then goes by the versions of the new epoch', async () => {
    tenure.revoke('u1', 7);
    const guard = await followingGuard({ openWhileSilent: ['export'] });
    const before = await tenure.token(now(), { ver: 7 });
    expect(await guard.check(before)).toMatchObject({ valid: true });
    tenure.moods.pages = 'cut';
    tenure.restore([{ kind: 'user', id: 'u1', version: 4 }]);
    await until('it is refused', async () => {
      clock.advance(100);
      return !(await guard.check(before)).valid;
    });
    expect(await guard.check(before)).toMatchObject({ reason: 'feed_reset' });
    expect(await guard.decide(before, { feature: 'export' })).toMatchObject({ reason: 'feed_reset' });
    tenure.moods.pages = 'well';
    // The clock of the service is the one of this machine here: `Date` says when the feed was reset.
    clock.set(Date.now() + 1_000);
    const after = await tenure.token(now(), { ver: 4 });
    await until('it is let through', async () => {
      clock.advance(100);
      return (await guard.check(after)).valid;
    });
    expect(await guard.check(await tenure.token(now(), { ver: 3 }))).toMatchObject({ reason: 'stale' });
    const fromBefore = await tenure.token(now(), { ver: 7, iat: Math.floor(START / 1_000) });
    expect(await guard.check(fromBefore)).toMatchObject({ reason: 'stale' });
  });
});

describe('A guard that reads by checks alone', () => {
  it('asks at a check where the last answer is older than five seconds, and once for all', async () => {
    const guard = guardWith({ follow: 'checks' });
    const token = await tenure.token(now());
    await Promise.all([guard.check(token), guard.check(token), guard.check(token)]);
    expect(tenure.timesAsked('/v1/revocations')).toBe(1);
    clock.advance(5_000);
    expect(await guard.check(token)).toMatchObject({ valid: true });
    expect(tenure.timesAsked('/v1/revocations')).toBe(1);
    tenure.revoke('u1', 2);
    clock.advance(1);
    expect(await guard.check(token)).toMatchObject({ reason: 'stale' });
    expect(tenure.timesAsked('/v1/revocations')).toBe(2);
    expect(tenure.streams).toBe(0);
  });

  it('waits a second at most for one that does not answer', async () => {
    const guard = guardWith({ follow: 'checks' });
    const token = await tenure.token(now());
    expect(await guard.check(token)).toMatchObject({ valid: true });
    tenure.moods.pages = 'held';
    clock.advance(29_000);
    const waiting = guard.check(token);
    await until('it was asked', () => tenure.timesAsked('/v1/revocations') === 2);
    clock.advance(1_000);
    expect(await waiting).toMatchObject({ valid: true });
  });
});
