import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { ProblemError } from '../http/problem.js';

/** An answer of the identity provider has this long, its body included. */
const ANSWER_WITHIN_MS = 3_000;
/** Keys are asked for again, behind the replies, once they are this old. */
const REFRESH_AFTER_MS = 300_000;
/** Keys this old count no more: a provider that is away for so long has withdrawn its tokens. */
const OLDEST_MS = 3_600_000;
/** A token of an unknown key has them asked for again at most this often, and so has a provider that does not answer. */
const ASK_AGAIN_MS = 10_000;
/** Seconds after which a caller may try again while the provider does not answer. */
const RETRY_AFTER_SECONDS = '5';

/** How the keys are asked for; what is left out is as a service has it. */
export interface UserTokenKeysOptions {
  readonly url: string;
  /** Hears why the keys cannot be had; those of before count meanwhile. */
  readonly onTrouble: (error: unknown) => void;
  readonly refreshAfterMs?: number;
  readonly askAgainMs?: number;
  readonly answerWithinMs?: number;
}

/** The provider was asked a moment ago and did not answer; it is not asked for each token anew. */
class AskedLatelyError extends Error {
  override readonly name = 'AskedLatelyError';
}

/**
 * The keys of an identity provider (RFC 7517), asked for when the first token comes and kept. A provider that is slow or away
 * costs the tokens of keys that are not known, and after an hour all; never those that were verified already.
 */
export class UserTokenKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;
  readonly #refreshAfterMs: number;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: UserTokenKeysOptions) {
    const { url, refreshAfterMs = REFRESH_AFTER_MS, askAgainMs = ASK_AGAIN_MS } = options;
    this.#refreshAfterMs = refreshAfterMs;
    this.#keys = createRemoteJWKSet(new URL(url), {
      timeoutDuration: options.answerWithinMs ?? ANSWER_WITHIN_MS,
      cooldownDuration: askAgainMs,
      cacheMaxAge: OLDEST_MS,
      [customFetch]: async (...asked) => {
        const now = performance.now();
        if (now - this.#failedAt < askAgainMs) throw new AskedLatelyError();
        const answer = await fetch(...asked).catch((error: unknown) => {
          this.#failedAt = performance.now();
          throw error;
        });
        this.#failedAt = answer.ok ? Number.NEGATIVE_INFINITY : performance.now();
        if (answer.ok) this.#fetchedAt = now;
        return answer;
      },
    });
  }

  /**
   * The key that a token names, for `jwtVerify`. Rejects with what jose says of the token.
   * @throws ProblemError `user_keys_unavailable`
   */
  readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    this.#refreshIfOld();
    try {
      return await this.#keys(header, token);
    } catch (error) {
      if (isOfToken(error)) throw error;
      this.#tell(error);
      throw new ProblemError(
        'user_keys_unavailable',
        'The identity provider does not tell its keys. Send the same request again.',
        { 'retry-after': RETRY_AFTER_SECONDS },
        { cause: error },
      );
    }
  };

  #refreshIfOld(): void {
    const isOld = performance.now() - this.#fetchedAt >= this.#refreshAfterMs;
    if (isOld && this.#keys.jwks() !== undefined && !this.#keys.reloading) {
      this.#keys.reload().catch((error: unknown) => this.#tell(error));
    }
  }

  #tell(error: unknown): void {
    if (!(error instanceof AskedLatelyError)) this.options.onTrouble(error);
  }
}

/** Whether it is the token that is at fault: the provider has told its keys, and none of them is the one. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}
