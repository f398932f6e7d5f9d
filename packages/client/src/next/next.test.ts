import fc from 'fast-check';
import { FakeTenure, KEY } from '../../test/fake-tenure.js';
import { createGuard, type Guard } from '../server/guard.js';
import { createNextMiddleware } from './index.js';
import { plainPath, ruleFor } from './paths.js';

const APP = 'https://app.example.test';

let tenure: FakeTenure;
let guard: Guard;

beforeAll(async () => {
  tenure = await FakeTenure.start();
  guard = createGuard({ url: tenure.url, key: KEY, follow: 'checks' });
});
afterAll(async () => {
  guard.close();
  await tenure.close();
});

/** Who is signed in is what the cookie says; of exports they hold the feature, of admin pages nothing. */
async function visit(path: string, user: string | null = 'u1', signIn: { signIn?: string } = {}) {
  const middleware = createNextMiddleware({
    guard,
    user: (request) => request.headers.get('cookie'),
    rules: [
      { path: '/reports', feature: 'export' },
      { path: '/reports/yearly', feature: 'yearly' },
      { path: '/api/yearly', feature: 'yearly' },
      { path: '/club', role: 'paid' },
    ],
    ...signIn,
  });
  const headers = user === null ? {} : { cookie: user };
  const answer = await middleware(new Request(APP + path, { headers }));
  return answer === undefined ? 'through' : { status: answer.status, to: answer.headers.get('location') };
}

describe('The middleware for Next.js', () => {
  it('lets through who holds what is required, and every other page', async () => {
    for (const path of ['/', '/about', '/reports', '/reports/today', '/reports/', '/club', '/reportsx']) {
      expect([path, await visit(path)]).toEqual([path, 'through']);
    }
    expect(await visit('/', null)).toBe('through');
  });

  it('sends who lacks a plan to the page for upgrades, and says from where', async () => {
    expect(await visit('/reports/yearly/2026?full=1')).toEqual({
      status: 307,
      to: `${APP}/upgrade?from=%2Freports%2Fyearly%2F2026%3Ffull%3D1&feature=yearly`,
    });
    expect(await visit('/upgrade')).toBe('through');
  });

  it('answers 403 to programs', async () => {
    expect(await visit('/api/yearly')).toEqual({ status: 403, to: null });
  });

  it('answers 401 to who is not signed in, or sends them where they can', async () => {
    expect(await visit('/reports', null)).toEqual({ status: 401, to: null });
    expect(await visit('/reports', null, { signIn: '/sign-in' })).toMatchObject({ status: 307 });
    expect(await visit('/sign-in', null, { signIn: '/sign-in' })).toBe('through');
    expect(await visit('/api/yearly', null, { signIn: '/sign-in' })).toEqual({ status: 401, to: null });
  });

  it.each(['/%72eports/yearly', '/reports/%79early', '/reports/yearly/'])(
    'reads %s as routers do',
    async (path) => {
      expect(await visit(path)).toMatchObject({ status: 307 });
    },
  );

  it.each([
    '//reports/yearly',
    '/reports//yearly',
    '/reports%2fyearly',
    '/a/%2e%2e%2freports',
    '/reports;a/yearly',
  ])('refuses %s, which may be read in two ways', async (path) => {
    expect(await visit(path)).toEqual({ status: 403, to: null });
  });
});

describe('A path of the rules', () => {
  it('is found again however its characters are written, or the request is refused', () => {
    const segment = fc.stringMatching(/^[a-z0-9_-]{1,8}$/);
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.array(fc.boolean()),
        (segments, coded) => {
          const path = `/${segments.join('/')}`;
          const written = [...path]
            .map((character, index) =>
              character !== '/' && coded[index % Math.max(1, coded.length)] === true
                ? `%${character.charCodeAt(0).toString(16)}`
                : character,
            )
            .join('');
          expect(plainPath(written)).toBe(path);
        },
      ),
    );
  });

  it('is the longest one that fits, whole segments only', () => {
    const rules = [{ path: '/a/' }, { path: '/a/b' }, { path: '/' }];
    expect(ruleFor(rules, '/a/b/c')?.path).toBe('/a/b');
    expect(ruleFor(rules, '/a/bc')?.path).toBe('/a/');
    expect(ruleFor(rules, '/x')?.path).toBe('/');
    expect(ruleFor([{ path: '/a' }], '/ab')).toBeUndefined();
  });
});
