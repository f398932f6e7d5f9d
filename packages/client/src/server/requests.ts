import { retryAfterMs } from '../browser/retry-after.js';
import type { Clock } from './clock.js';

/** What a guard asks Tenure with. */
export interface Connection {
  /** Where Tenure is, without a slash at the end. */
  readonly url: string;
  /** An API key with the scope `entitlements:read`. */
  readonly key: string;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
}

/** An answer of Tenure that is none of those that are expected. */
export class TenureAnswerError extends Error {
  override readonly name = 'TenureAnswerError';
  readonly code = 'unexpected_answer';

  constructor(
    what: string,
    readonly httpStatus: number | null,
    /** How long Tenure asks to be left alone (`Retry-After`), `null` where it did not say. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(what);
  }
}

/** The fault of an answer that is not the one that was asked for, with the time for which its sender asks to be left alone. */
export function answerError(what: string, { status, headers }: Response): TenureAnswerError {
  return new TenureAnswerError(what, status, retryAfterMs(headers.get('retry-after')));
}

/** No answer, or not all of it, within the time it was given. */
export class TenureTimeoutError extends Error {
  override readonly name = 'TenureTimeoutError';
  readonly code = 'timeout';
}

/** How long Tenure may take for an answer that ends. */
export const ANSWER_WITHIN_MS = 5_000;

/**
 * Asks for JSON and reads all of it. Rejects with TenureTimeoutError after five seconds, with the reason of `signal`, and with
 * what `fetch` or JSON throws.
 */
export async function askJson(
  { url, key, fetch, clock }: Connection,
  path: string,
  { method = 'GET', signal }: { readonly method?: 'GET' | 'POST'; readonly signal?: AbortSignal } = {},
): Promise<{ readonly response: Response; readonly body: unknown }> {
  const giveUp = new AbortController();
  const follow = (): void => giveUp.abort(signal?.reason);
  signal?.addEventListener('abort', follow);
  if (signal?.aborted === true) follow();
  const cancel = clock.after(ANSWER_WITHIN_MS, () =>
    giveUp.abort(new TenureTimeoutError(`${path} was not answered within ${ANSWER_WITHIN_MS} ms`)),
  );
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { accept: 'application/json', authorization: `Bearer ${key}` },
      signal: giveUp.signal,
    });
    return { response, body: response.ok ? await response.json() : await ended(response) };
  } finally {
    cancel();
    signal?.removeEventListener('abort', follow);
  }
}

/** Reads what is left of an answer, so that its connection is free again. */
async function ended(response: Response): Promise<null> {
  await response.text();
  return null;
}
