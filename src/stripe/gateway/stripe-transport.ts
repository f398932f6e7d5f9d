import type Stripe from 'stripe';

/** An answer that is none: without a usable `Date`, or JSON that is no object. */
export class UnreadableAnswerError extends Error {
  override readonly name = 'UnreadableAnswerError';
}

/** The SDK takes host, port and scheme apart. */
export function hostOf({ protocol, hostname, port }: URL): Stripe.StripeConfig {
  const scheme = protocol === 'http:' ? 'http' : 'https';
  return {
    protocol: scheme,
    host: hostname,
    port: port === '' ? (scheme === 'http' ? 80 : 443) : Number(port),
  };
}

/**
 * A `fetch` that ends with `closing`, goes after no redirect (the key goes nowhere else), and reads the body itself: at
 * JSON that is no object the SDK would neither answer nor reject, and end the process by an unhandled rejection.
 */
export function fetchUntil(closing: AbortSignal): typeof fetch {
  return async (input, init) => {
    const signals = init?.signal == null ? [closing] : [init.signal, closing];
    const response = await fetch(input, { ...init, redirect: 'error', signal: AbortSignal.any(signals) });
    const text = await response.text();
    if (/^\s*(?:["\d[-]|null|true|false)/.test(text)) throw new UnreadableAnswerError('no object came');
    return new Response(text, { status: response.status, headers: response.headers });
  };
}

/** Unix seconds of an HTTP date (RFC 9110, 5.6.7). */
export function secondOf(date: string | null): number {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) throw new UnreadableAnswerError('the answer has no Date');
  return Math.floor(at / 1_000);
}

/** Whether what the SDK says of a connection that failed is that it took too long. */
export function isTimeout(detail: unknown): boolean {
  return typeof detail === 'object' && detail !== null && 'code' in detail && detail.code === 'ETIMEDOUT';
}
