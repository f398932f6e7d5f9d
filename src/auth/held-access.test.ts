import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import { until } from '../../test/support/until.js';
import { UserErasedError } from '../pseudonyms/errors.js';
import { requireScope } from './access-control.js';
import type { Principal } from './authenticator.js';
import { HeldAccess } from './held-access.js';
import { requireKey } from './require-key.js';

const KEY: Principal = { kind: 'key', actor: 'key:1', scopes: new Set(['entitlements:read']) };

/** A request that came in as `principal`. */
async function admitted(principal: Principal): Promise<IncomingMessage> {
  const request = { headers: { authorization: 'Bearer key' }, socket: {} } as unknown as Request;
  const access = { admit: () => principal } as never;
  await requireKey(access)(request, {} as Response, () => undefined);
  return request;
}

describe('The leave to read what goes on', () => {
  const mayRead = (principal: Principal): void => requireScope(principal, 'entitlements:read');

  it.each([
    ['the key is revoked', null],
    ['the key lost the scope', { ...KEY, scopes: new Set<never>() }],
  ])('is over once %s', async (_, later: Principal | null) => {
    let found: Principal | null = KEY;
    let looks = 0;
    const recognise = (): Principal | null => {
      looks += 1;
      return found;
    };
    const held = new HeldAccess({ access: { recognise }, now: Date.now, erasures: null, lookMs: 1 }).hold(
      await admitted(KEY),
      mayRead,
    );
    await until('some looks', () => looks > 2);
    expect(held.signal.aborted).toBe(false);
    found = later;
    await until('the end', () => held.signal.aborted);
    held.release();
  });

  it('outlasts a look that fails, and is over once nobody could be asked for long', async () => {
    const recognise = async (): Promise<never> => {
      throw new Error('the database is away');
    };
    const access = { recognise };
    const long = new HeldAccess({ access, now: Date.now, erasures: null, lookMs: 1, confirmedMs: 3_600_000 });
    const short = new HeldAccess({ access, now: Date.now, erasures: null, lookMs: 1, confirmedMs: 20 });
    const [patient, impatient] = [long, short].map(async (each) => each.hold(await admitted(KEY), mayRead));
    const [stays, ends] = [await patient, await impatient];
    await until('the end', () => ends?.signal.aborted === true);
    expect(stays?.signal.aborted).toBe(false);
    stays?.release();
    ends?.release();
  });

  it('to what is about one user is over, and says why, once that user is erased', async () => {
    const waiting = new Map<string, () => void>();
    const erasures = {
      onErased: (userId: string, told: () => void) => {
        waiting.set(userId, told);
        return () => waiting.delete(userId);
      },
    };
    const leave = new HeldAccess({ access: { recognise: () => KEY }, now: Date.now, erasures });
    const [ada, bob] = [
      leave.holdAbout('ada', await admitted(KEY), mayRead),
      leave.holdAbout('bob', await admitted(KEY), mayRead),
    ];
    waiting.get('ada')?.();
    expect(ada.signal.reason).toBeInstanceOf(UserErasedError);
    expect(bob.signal.aborted).toBe(false);
    ada.release();
    bob.release();
    expect(waiting.size).toBe(0);
  });

  it('to what is about one user is that to anything else where nobody can be erased', async () => {
    let found: Principal | null = KEY;
    const access = { recognise: () => found };
    const leave = new HeldAccess({ access, now: Date.now, erasures: null, lookMs: 1 });
    const held = leave.holdAbout('ada', await admitted(KEY), mayRead);
    expect(held.signal.aborted).toBe(false);
    found = null;
    await until('the end', () => held.signal.aborted);
    expect(held.signal.reason).not.toBeInstanceOf(UserErasedError);
    held.release();
  });

  it('is over when the token is, by the clock of the service', async () => {
    const now = 1_790_000_000_000;
    const user = (expiresAt: number): Principal => ({
      kind: 'user',
      actor: 'user:u',
      userId: 'u',
      expiresAt,
    });
    const held = new HeldAccess({
      access: { recognise: () => null },
      now: () => now,
      erasures: null,
      lookMs: 1,
    });
    const soon = held.hold(await admitted(user(now + 5)), mayRead);
    const late = held.hold(await admitted(user(now + 1e12)), mayRead);
    await until('the end', () => soon.signal.aborted);
    expect(late.signal.aborted).toBe(false);
    late.release();
  });
});
