import fc from 'fast-check';
import { parsePlanFile } from '../../plans/plan-file.js';
import { pathOf, routeFor } from './request-path.js';

const FILE = `default: free
plans:
  free: { rank: 0, role: free, features: [reports, admin] }
routes:
  - { methods: [GET], path: /api/admin/*, feature: admin }
  - { methods: [GET, HEAD], path: /api/*, feature: reports }
  - { methods: [POST], path: /api/exports, feature: reports }
`;
const { catalog } = parsePlanFile(FILE, 'plans.yaml');

describe('The path of a request', () => {
  it.each([
    ['/', '/'],
    ['/api/reports', '/api/reports'],
    ['/api/reports/', '/api/reports/'],
    ['/api/reports?x=/../', '/api/reports'],
    ['/api/%72eports', '/api/reports'],
    ['/caf%C3%A9', '/café'],
    [Buffer.from('/café').toString('latin1'), '/café'],
    ['/a..b/.c/...', '/a..b/.c/...'],
  ])('%p is read as %p', (target, path) => {
    expect(pathOf(target)).toBe(path);
  });

  it.each([
    '',
    '*',
    'api',
    'http://host/api',
    '//api',
    '/api//reports',
    '/api/./reports',
    '/api/../admin',
    '/api/..',
    '/api/.',
    '/api/%2e%2e/admin',
    '/api/%2E./admin',
    '/api/.%2e',
    '/api%2fadmin',
    '/api%2Fadmin',
    '/api%5cadmin',
    '/api\\admin',
    '/api/%252e%252e/admin',
    '/api/%25',
    '/api;a=b/admin',
    '/api/%3b',
    '/api/\u0001',
    '/api/%00',
    '/api/%0d%0a',
    '/api/%7f',
    '/api/%C2%85',
    '/api/%ff',
    '/api/%c0%ae%c0%ae/admin',
    '/api/\xff',
    '/api/%zz',
    '/api/%',
    '/api#/admin',
  ])('%p is refused: it may be read otherwise', (target) => {
    expect(pathOf(target)).toBeNull();
  });

  const pieces = fc.constantFrom(
    '/',
    '.',
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '%25',
    '%',
    ';',
    '\\',
    '\t',
    'a',
    '%61',
    'é',
    '\u0085',
    'admin',
    '/admin/',
    '..',
  );
  const hostile = fc.array(pieces, { maxLength: 12 }).map((parts) => `/${parts.join('')}`);

  it('that is read holds nothing that a second reading would change', () => {
    fc.assert(
      fc.property(hostile, (target) => {
        const path = pathOf(target);
        if (path === null) return;
        expect(decodeURIComponent(path)).toBe(path);
        expect(path).not.toMatch(/[\\;%\p{Cc}]/u);
        // Whatever resolves dots and slashes comes to the same path: here the URL standard.
        expect(decodeURIComponent(new URL(`http://host${encodeURI(path)}`).pathname)).toBe(path);
        expect(path.slice(0, -1)).not.toContain('//');
      }),
      { numRuns: 2_000 },
    );
  });

  it('that is read fits a narrower route under no other name', () => {
    fc.assert(
      fc.property(hostile, (tail) => {
        const target = `/api${tail}`;
        const path = pathOf(target);
        if (path === null) return;
        const { pathname } = new URL(`http://host${target}`);
        const isAdmin = decodeURIComponent(pathname).startsWith('/api/admin/');
        expect(routeFor(catalog, 'GET', path)?.feature === 'admin').toBe(isAdmin);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('The route of a request', () => {
  it.each([
    ['GET', '/api/admin/x', 'admin'],
    ['GET', '/api/admin/', 'admin'],
    ['GET', '/api/admin', 'reports'],
    ['HEAD', '/api/x', 'reports'],
    ['GET', '/api', null],
    ['GET', '/API/x', null],
    ['POST', '/api/exports', 'reports'],
    ['POST', '/api/exports/', null],
    ['POST', '/api/admin/x', null],
    ['get', '/api/x', null],
    ['GET, GET', '/api/x', null],
    ['', '/api/x', null],
  ])('%s %s takes %p', (method, path, feature) => {
    expect(routeFor(catalog, method, path)?.feature ?? null).toBe(feature);
  });
});
