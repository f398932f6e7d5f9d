import { ProblemError } from '../http/problem.js';
import { AccessControl, requireScope } from './access-control.js';
import { AdminKeyAuthenticator } from './authenticator.js';
import { FailureLimiter, MAX_FAILURES_PER_MINUTE } from './failure-limiter.js';

const KEY = `${'k'.repeat(31)}é`;
/** A header as `node:http` hands it over: one character for each byte. */
const HEADER = `Bearer ${Buffer.from(KEY, 'utf8').toString('latin1')}`;

function codeOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof ProblemError) return error.code;
    throw error;
  }
  return 'admitted';
}

describe('Access control', () => {
  it('admits the admin key with every scope and names it without showing it', async () => {
    const access = new AccessControl(new AdminKeyAuthenticator(KEY), new FailureLimiter());
    const principal = await access.admit(HEADER, { remoteAddress: '::1' });
    expect(principal.kind === 'key' && principal.scopes.has('ops')).toBe(true);
    expect(principal.actor).not.toContain('kkk');
    expect(codeOf(() => access.admit(HEADER.replace('Bearer', 'bearer'), { remoteAddress: '::1' }))).toBe(
      'admitted',
    );
  });

  it.each([
    ['no header', undefined],
    ['another scheme', `Basic ${KEY}`],
    ['an empty token', 'Bearer '],
    ['a shorter key', HEADER.slice(0, -1)],
    ['a longer key', `${HEADER}x`],
    ['a key that differs in its last byte', `${HEADER.slice(0, -1)}x`],
    ['the key twice', `${HEADER} ${HEADER}`],
  ])('refuses %s', (_, header) => {
    const access = new AccessControl(new AdminKeyAuthenticator(KEY), new FailureLimiter());
    expect(codeOf(() => access.admit(header, { remoteAddress: '::1' }))).toBe('unauthorized');
  });

  it('tells an address to wait after 20 failures in a minute, others and valid keys not', () => {
    let now = 1_000;
    const access = new AccessControl(new AdminKeyAuthenticator(KEY), new FailureLimiter(() => now));
    const fail = (): string => codeOf(() => access.admit('Bearer wrong', { remoteAddress: '10.0.0.1' }));
    for (let i = 0; i < MAX_FAILURES_PER_MINUTE; i += 1) expect(fail()).toBe('unauthorized');
    expect(fail()).toBe('too_many_failures');
    expect(codeOf(() => access.admit('Bearer wrong', { remoteAddress: '10.0.0.2' }))).toBe('unauthorized');
    expect(codeOf(() => access.admit(HEADER, { remoteAddress: '10.0.0.1' }))).toBe('admitted');
    now += 59_999;
    expect(fail()).toBe('too_many_failures');
    now += 1;
    expect(fail()).toBe('unauthorized');
  });

  it('counts a failure for the address that a caller had who went away while it was looked up', async () => {
    const access = new AccessControl({ authenticate: async () => null }, new FailureLimiter());
    const codes: unknown[] = [];
    for (let failure = 0; failure <= MAX_FAILURES_PER_MINUTE; failure += 1) {
      const socket: { remoteAddress?: string } = { remoteAddress: '10.0.0.1' };
      const admitted = Promise.resolve(access.admit('Bearer x', socket));
      delete socket.remoteAddress;
      await admitted.catch(({ code }) => codes.push(code));
    }
    expect(new Set(codes.slice(0, -1))).toEqual(new Set(['unauthorized']));
    expect(codes.at(-1)).toBe('too_many_failures');
    expect(codeOf(() => access.admit(undefined, { remoteAddress: '10.0.0.2' }))).toBe('unauthorized');
  });

  it('waits for an authenticator that asks elsewhere', async () => {
    const access = new AccessControl({ authenticate: async () => null }, new FailureLimiter());
    await expect(access.admit('Bearer x', { remoteAddress: '::1' })).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('refuses a principal without the scope', () => {
    const reader = { kind: 'key' as const, actor: 'r', scopes: new Set(['entitlements:read'] as const) };
    expect(codeOf(() => requireScope(reader, 'ops'))).toBe('forbidden');
    expect(codeOf(() => requireScope(reader, 'entitlements:read'))).toBe('admitted');
  });
});
