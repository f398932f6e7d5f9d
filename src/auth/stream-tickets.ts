import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { TokenUser } from './authenticator.js';

/** A ticket holds until the end of the hour after this one: what it is made of is the same for an hour, and so is its text. */
const HOUR_MS = 3_600_000;
const KEY_BYTES = 32;
const SHAPE = /^([\w-]{2,})\.([0-9a-z]{1,9})\.([\w-]{43})$/;
const MAX_LENGTH = 2_048;

/**
 * Lets a browser's `EventSource`, which sends no `Authorization`, open one kind of stream of one user: a ticket stands in its
 * URL. It is made from a user token, ends with it, is of no use anywhere else, and is the same text for an hour. Signed by
 * HMAC-SHA-256 with a key that HKDF-SHA-256 (RFC 5869) makes of an admin key, so every instance knows it.
 */
export class StreamTickets {
  readonly #keys: readonly Buffer[];

  /**
   * The first of `adminKeys` signs, any counts.
   * @param now this machine's clock, Unix milliseconds
   */
  constructor(
    adminKeys: readonly [string, ...string[]],
    private readonly now: () => number,
  ) {
    this.#keys = adminKeys.map((key) =>
      Buffer.from(hkdfSync('sha256', key, 'tenure', 'stream tickets v1', KEY_BYTES)),
    );
  }

  /** @param endsAt when the token ends that it is made from, Unix milliseconds */
  issue(userId: string, endsAt: number): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('there is no key to sign with');
    const latest = (Math.floor(this.now() / HOUR_MS) + 2) * HOUR_MS;
    const endsAtSecond = Math.floor(Math.min(endsAt, latest) / 1_000);
    const signed = `${Buffer.from(userId).toString('base64url')}.${endsAtSecond.toString(36)}`;
    return `${signed}.${signatureOf(signed, key).toString('base64url')}`;
  }

  /** Whose ticket it is; `null` when it is none, or has ended. */
  holder(ticket: string): TokenUser | null {
    const [, user, end, signature] = (ticket.length > MAX_LENGTH ? null : SHAPE.exec(ticket)) ?? [];
    if (user === undefined || end === undefined || signature === undefined) return null;
    const given = Buffer.from(signature, 'base64url');
    const isOurs = this.#keys.some((key) => timingSafeEqual(signatureOf(`${user}.${end}`, key), given));
    const expiresAt = Number.parseInt(end, 36) * 1_000;
    if (!isOurs || this.now() >= expiresAt) return null;
    const userId = Buffer.from(user, 'base64url').toString('utf8');
    return { kind: 'user', actor: `user:${userId}`, userId, expiresAt };
  }
}

function signatureOf(signed: string, key: Buffer): Buffer {
  return createHmac('sha256', key).update(signed).digest();
}
