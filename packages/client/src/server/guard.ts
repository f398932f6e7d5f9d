import { systemClock } from './clock.js';
import type { Check, Decision, FeedFault, Requirement, TokenFault } from './decision.js';
import { decide } from './decision.js';
import { takeApart } from './entitlement-token.js';
import { isSignedBy, KeySet, type VerifyingKey } from './key-set.js';
import type { Connection } from './requests.js';
import { RevocationFeed } from './revocation-feed.js';
import { RevocationMemory } from './revocation-memory.js';
import { UserTokens } from './user-tokens.js';
import { type VerifiedToken, VerifiedTokens } from './verified-tokens.js';

export interface GuardOptions {
  /** Where Tenure is: `https://tenure.internal:3000`. */
  readonly url: string;
  /** An API key with the scope `entitlements:read`. */
  readonly key: string;
  /** `TOKEN_ISSUER` of the service; left out, the signature alone says whose a token is. */
  readonly issuer?: string;
  /** Time that the feed may say nothing before all is refused, from when it was last asked: 30,000 unless said otherwise. */
  readonly maxStaleMs?: number;
  /** Features that are let through while the feed is silent for longer; none unless said otherwise. */
  readonly openWhileSilent?: readonly string[];
  /**
   * `stream`, the default: the feed is followed from the start until `close`. `checks`: it is asked when a token is checked and
   * the last answer is older than five seconds, for an edge where nothing runs between requests.
   */
  readonly follow?: 'stream' | 'checks';
  /** How many verified tokens are kept, and how many users' own: 10,000 unless said otherwise. */
  readonly keptTokens?: number;
  /** Hears why Tenure could not be read; it is tried again. */
  readonly onTrouble?: (error: unknown) => void;
  readonly fetch?: typeof fetch;
  readonly clock?: Connection['clock'];
  /** A random number between 0 and 1, to spread what is repeated. */
  readonly random?: () => number;
}

const MAX_STALE_MS = 30_000;
const KEPT_TOKENS = 10_000;
/** Where the feed is asked by checks, an answer counts for this long. */
const ASKED_BY_CHECKS_MS = 5_000;
/** A check waits for so long that the feed is read: the first time, and later. */
const WAITS_MS = { first: 5_000, later: 1_000 };

/** Checks entitlement tokens in memory, against keys and revocations that it keeps up to date. */
export class Guard {
  readonly #connection: Connection;
  readonly #memory: RevocationMemory;
  readonly #keys: KeySet;
  readonly #feed: RevocationFeed;
  readonly #verified: VerifiedTokens;
  readonly #userTokens: UserTokens;
  readonly #open: ReadonlySet<string>;

  constructor(private readonly options: GuardOptions) {
    const { url, key, clock = systemClock, random = Math.random } = options;
    const ask: typeof fetch = options.fetch ?? ((input, init) => fetch(input, init));
    this.#connection = { url: url.replace(/\/+$/, ''), key, fetch: ask, clock };
    this.#memory = new RevocationMemory(clock.now());
    this.#keys = new KeySet(this.#connection);
    this.#verified = new VerifiedTokens(options.keptTokens ?? KEPT_TOKENS);
    this.#userTokens = new UserTokens(this.#connection, options.keptTokens ?? KEPT_TOKENS, async (token) => {
      return (await this.check(token)).claims !== null;
    });
    this.#open = new Set(options.openWhileSilent);
    this.#feed = new RevocationFeed({
      connection: this.#connection,
      memory: this.#memory,
      maxStaleMs: options.maxStaleMs ?? MAX_STALE_MS,
      besides: () => this.#readDueKeys(),
      onTrouble: (error) => this.#trouble(error),
      random,
    });
    if (options.follow !== 'checks') this.#feed.follow();
  }

  /** Reads keys and feed once. Not needed before `check`, which does so itself; rejects where Tenure does not answer. */
  async ready(): Promise<void> {
    await Promise.all([this.#feed.read(), this.#readDueKeys()]);
  }

  /**
   * Whether a token holds. Asks nobody as long as the feed is fresh and the key known; else asks, once for all that check then,
   * and takes what is known after that. Never rejects.
   */
  async check(token: string | null | undefined): Promise<Check> {
    if (token === null || token === undefined || token === '') return faulty('no_token');
    if (this.#mustAsk()) await this.#ask();
    const verified = this.#known(token) ?? (await this.#verify(token));
    if (typeof verified === 'string') return faulty(verified);
    const { claims } = verified;
    if (this.options.issuer !== undefined && claims.iss !== this.options.issuer)
      return faulty('wrong_issuer');
    if (claims.exp * 1_000 <= this.#connection.clock.now().wall) {
      this.#verified.forget(token);
      return faulty('expired');
    }
    if (claims.ver < this.#memory.leastVersionOf(claims.sub)) return faulty('stale');
    const { state } = this.#feed;
    if (state !== 'fresh') return { valid: false, reason: FEED_FAULTS[state], claims };
    if (claims.iat < this.#memory.issuedFrom) return faulty('stale');
    return { valid: true, claims };
  }

  /** Whether the bearer of a token may: see `Decision` for the reasons. Never rejects. */
  async decide(token: string | null | undefined, requirement: Requirement): Promise<Decision> {
    return decide(await this.check(token), requirement, this.#open);
  }

  /** The same for a user whom the application knows by a session of its own: Tenure is asked for a token, which is kept. */
  async decideForUser(userId: string, requirement: Requirement): Promise<Decision> {
    try {
      return await this.decide(await this.#userTokens.of(userId), requirement);
    } catch (error) {
      this.#trouble(error);
      return { allowed: false, reason: 'token_unissued', claims: null };
    }
  }

  /** Follows the feed no longer; what is checked from then on is refused once it is older than `maxStaleMs`. */
  close(): void {
    this.#feed.close();
  }

  /** Where the feed is followed, and was last asked in vain, a check does not wait for what fails already. */
  #mustAsk(): boolean {
    const isFollowed = this.options.follow !== 'checks';
    if (this.#feed.state !== 'fresh') return !(isFollowed && this.#feed.hasFailed);
    return !isFollowed && this.#memory.ageMs(this.#connection.clock.now()) > ASKED_BY_CHECKS_MS;
  }

  /** Reads what there is, for as long as a check may wait for it. */
  async #ask(): Promise<void> {
    const { clock } = this.#connection;
    const isFirst = this.#memory.ageMs(clock.now()) === Number.POSITIVE_INFINITY;
    const read = this.ready().catch((error) => this.#trouble(error));
    await new Promise<void>((resolve) => {
      const cancel = clock.after(isFirst ? WAITS_MS.first : WAITS_MS.later, resolve);
      void read.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #readDueKeys(): Promise<void> {
    if (this.#keys.isDue) await this.#keys.read();
  }

  /** A token that was verified before, by a key that still stands. */
  #known(token: string): VerifiedToken | undefined {
    const known = this.#verified.get(token);
    return known !== undefined && this.#keys.get(known.kid) === known.key ? known : undefined;
  }

  async #verify(token: string): Promise<VerifiedToken | TokenFault> {
    const parts = takeApart(token);
    if (typeof parts === 'string') return parts;
    const { kid, alg, claims } = parts;
    const key = await this.#find(kid);
    if (key === 'keys_unread') return key;
    if (key === undefined || key.algorithm !== alg) return 'unknown_key';
    if (!(await isSignedBy(key, parts))) return 'bad_signature';
    const verified = { claims, kid, key };
    this.#verified.keep(token, verified);
    return verified;
  }

  async #find(kid: string): Promise<VerifyingKey | undefined | 'keys_unread'> {
    try {
      return await this.#keys.find(kid);
    } catch (error) {
      this.#trouble(error);
      return 'keys_unread';
    }
  }

  #trouble(error: unknown): void {
    this.options.onTrouble?.(error);
  }
}

const FEED_FAULTS = {
  silent: 'feed_silent',
  reset: 'feed_reset',
  unreadable: 'feed_unreadable',
} as const satisfies Readonly<Record<string, FeedFault>>;

function faulty(reason: TokenFault): Check {
  return { valid: false, reason, claims: null };
}

/** A guard for entitlement tokens; with `follow: 'stream'` it reads Tenure until `close` is called. */
export function createGuard(options: GuardOptions): Guard {
  return new Guard(options);
}
