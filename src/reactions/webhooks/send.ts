import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { LookupFunction } from 'node:net';
import {
  addressIn,
  isPublicAddress,
  PrivateAddressError,
  publicLookup,
  type Resolve,
} from './public-address.js';

/** What goes out. */
export interface OutgoingRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface SendOptions {
  /** Where messages may go. */
  readonly addresses: 'public' | 'any';
  /** Ends the request early. */
  readonly signal: AbortSignal;
  /** Milliseconds until the whole reply must have come. */
  readonly withinMs?: number;
  readonly resolve?: Resolve;
}

/** A receiver answered with something else than 2xx. */
export class RefusedMessageError extends Error {
  override readonly name = 'RefusedMessageError';
  constructor(
    readonly status: number,
    /** Milliseconds that it asked to be left alone for, `null` where it did not. */
    readonly retryAfterMs: number | null,
  ) {
    super(
      status >= 300 && status < 400 ? `answered ${status}: redirects are not followed` : `answered ${status}`,
    );
  }
}

const WITHIN_MS = 15_000;
/** Bytes of a reply that are read: nothing in it is used. */
const REPLY_LIMIT = 16_384;

/**
 * Posts a message, and comes back with the status when it was answered 2xx. Nothing is followed, reused or sent twice.
 * @throws RefusedMessageError, PrivateAddressError and what the socket says
 */
export function send({ url, headers, body }: OutgoingRequest, options: SendOptions): Promise<number> {
  const { addresses, signal, withinMs = WITHIN_MS, resolve } = options;
  const target = new URL(url);
  const address = addressIn(target);
  if (addresses === 'public' && address !== null && !isPublicAddress(address)) {
    return Promise.reject(new PrivateAddressError(target.host));
  }
  const lookup: { lookup?: LookupFunction } = addresses === 'public' ? { lookup: publicLookup(resolve) } : {};
  const request = target.protocol === 'https:' ? requestTls : requestPlain;
  const deadline = AbortSignal.timeout(withinMs);
  return new Promise((done, fail) => {
    const sent = request(
      target,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
        agent: false, // a connection of its own, to the address that was looked at
        signal: AbortSignal.any([signal, deadline]),
        ...lookup,
      },
      (reply) => {
        const status = reply.statusCode ?? 0;
        let read = 0;
        const end = (): void => {
          reply.destroy();
          if (status >= 200 && status < 300) done(status);
          else fail(new RefusedMessageError(status, retryAfterOf(reply.headers['retry-after'])));
        };
        reply.on('data', (chunk: Buffer) => {
          read += chunk.length;
          if (read > REPLY_LIMIT) end();
        });
        reply.on('end', end);
        reply.on('error', fail);
      },
    );
    // Without a listener Node closes the connection and says neither `response` nor `error`.
    sent.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      fail(new RefusedMessageError(statusCode, null));
    });
    sent.on('error', (error) => {
      fail(deadline.aborted ? new Error(`no answer within ${withinMs} ms`) : error);
    });
    sent.end(body);
  });
}

/** The longest that a receiver is left alone because it says so. Milliseconds. */
const LONGEST_PAUSE_MS = 24 * 3_600_000;

/** `Retry-After` in milliseconds from now (RFC 9110, 10.2.3: seconds, or a date); `null`: there is none to be read. */
export function retryAfterOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const ms = /^\d{1,10}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), LONGEST_PAUSE_MS);
}
