import { ApiError } from '../api-error.js';

/** An answer as it was first given. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

interface Kept extends Answer {
  readonly request: string;
  readonly second: number;
}

/** Seconds after which a key may be used anew (Stripe: "Idempotent requests", 24 hours at least). */
const KEPT_SECONDS = 86_400;

/** Answers by idempotency key. The same request gets the first answer again, errors included; another with the same key is refused. */
export class Idempotency {
  readonly #kept = new Map<string, Kept>();

  /** The answer that this key had; `null` for a key that is new. @throws ApiError 400 when it was another request's */
  find(key: string, request: string, now: number): Answer | null {
    const kept = this.#kept.get(key);
    if (kept === undefined || now - kept.second > KEPT_SECONDS) return null;
    if (kept.request === request) return kept;
    const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
    throw new ApiError(400, 'idempotency_error', message);
  }

  /** Keeps an answer. What was refused before it was begun is not kept (401, 429). */
  keep(key: string, request: string, answer: Answer, now: number): void {
    this.#kept.set(key, { ...answer, request, second: now });
    const [oldest] = this.#kept;
    if (oldest !== undefined && now - oldest[1].second > KEPT_SECONDS) this.#kept.delete(oldest[0]);
  }
}
