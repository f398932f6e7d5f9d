import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../http/problem.js';
import type { ErasureWatch } from '../pseudonyms/erasure-watch.js';
import { UserErasedError } from '../pseudonyms/errors.js';
import type { AccessControl } from './access-control.js';
import type { Principal } from './authenticator.js';
import { principalOf } from './require-key.js';

/** How often a key is looked at again, in milliseconds. */
const LOOK_MS = 10_000;
/** A key that could not be looked at for so long counts as revoked, in milliseconds. */
const CONFIRMED_MS = 30_000;
/** The longest time that a timer of Node can wait, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Somebody's leave to read what goes on; `release` once it has ended. */
export interface Held {
  /** Aborted when it is over; the reason is a `UserErasedError` where the user that it is about was erased. */
  readonly signal: AbortSignal;
  release(): void;
}

export interface HeldAccessOptions {
  readonly access: Pick<AccessControl, 'recognise'>;
  /** Tells that users were erased; `null` where nobody can be. */
  readonly erasures: Pick<ErasureWatch, 'onErased'> | null;
  /** This machine's clock, Unix milliseconds. */
  readonly now: () => number;
  readonly lookMs?: number;
  readonly confirmedMs?: number;
}

/**
 * Ends streams and waits with what opened them (DESIGN 10): at the end of a token, within 30 s of a key's revocation, and within
 * a second of the erasure of whom they are about.
 */
export class HeldAccess {
  constructor(private readonly options: HeldAccessOptions) {}

  /** @param require throws ProblemError when a principal may not, or no longer, read what was opened */
  hold(request: IncomingMessage, require: (principal: Principal) => void): Held {
    const principal = principalOf(request);
    const over = new AbortController();
    const release =
      principal.kind === 'user'
        ? this.#endsAt(principal.expiresAt, over)
        : this.#whileRecognised(request.headers.authorization, require, over);
    return { signal: over.signal, release };
  }

  /** The same of what is about one user, as known inside. */
  holdAbout(userId: string, request: IncomingMessage, require: (principal: Principal) => void): Held {
    const { erasures } = this.options;
    const held = this.hold(request, require);
    if (erasures === null) return held;
    const erased = new AbortController();
    const forget = erasures.onErased(userId, () => erased.abort(new UserErasedError()));
    const release = (): void => {
      forget();
      held.release();
    };
    return { signal: AbortSignal.any([held.signal, erased.signal]), release };
  }

  #endsAt(expiresAt: number, over: AbortController): () => void {
    const end = (): void => over.abort();
    const wait = Math.min(Math.max(0, expiresAt - this.options.now()), LONGEST_TIMER_MS);
    const timer = setTimeout(end, wait);
    return () => clearTimeout(timer);
  }

  #whileRecognised(
    authorization: string | undefined,
    require: (principal: Principal) => void,
    over: AbortController,
  ): () => void {
    const { access, lookMs = LOOK_MS, confirmedMs = CONFIRMED_MS } = this.options;
    let confirmedAt = performance.now();
    const look = async (): Promise<void> => {
      const askedAt = performance.now();
      if (askedAt - confirmedAt >= confirmedMs) return over.abort();
      try {
        const principal = await access.recognise(authorization);
        if (principal === null || !mayStill(principal, require)) over.abort();
        else confirmedAt = askedAt;
      } catch {
        // Where keys are looked up does not answer: that says nothing yet, and the time since the last answer counts.
      }
    };
    const timer = setInterval(() => void look(), lookMs);
    return () => clearInterval(timer);
  }
}

function mayStill(principal: Principal, require: (principal: Principal) => void): boolean {
  try {
    require(principal);
    return true;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}
