import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { z } from 'zod';
import { SCOPES } from '../http/scopes.js';
import { type Authenticator, type Principal } from './authenticator.js';
import { hashOfKey, isKeyShaped } from './keys/api-key.js';
import type { LastUse } from './keys/last-use.js';

/** A key counts without a look only while it was confirmed this long ago at most: so long a revocation may take. */
const CONFIRMED_MS = 1_000;
/** A key in use is confirmed again behind the replies, before it would have to be waited for. */
const CONFIRM_AGAIN_MS = 500;
const KNOWN_KEYS = 10_000;

const known: ReadonlySet<string> = new Set(SCOPES);
const isScope = (scope: string): scope is (typeof SCOPES)[number] => known.has(scope);
const rows = z.array(
  z.object({
    id: z.string(),
    name: z.string(),
    hash: z.string(),
    /** What newer code made may have scopes that mean nothing here. */
    scopes: z.array(z.string()).transform((scopes) => new Set(scopes.filter(isScope))),
  }),
);

interface KnownKey {
  readonly id: string;
  readonly principal: Principal;
  /** When the statement that found it was sent, on the clock of `performance.now()`. */
  readonly confirmedAt: number;
}

/** Look-ups that go out together, as one statement. */
interface Batch {
  readonly hashes: Set<string>;
  readonly found: Promise<ReadonlyMap<string, KnownKey>>;
}

/**
 * Holders of keys made with `tenure keys create` (DESIGN 10, "Who may"). Keys are found by the hash of the whole token,
 * in memory and in the table, so no comparison takes a time that tells of a key. One statement at a time, whoever asks
 * and however many: guesses cannot take the connections of the hot routes.
 */
export class StoredKeyAuthenticator implements Authenticator {
  readonly #known = new LRUCache<string, KnownKey>({ max: KNOWN_KEYS });
  #next: Batch | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly pool: Pool,
    private readonly lastUse: Pick<LastUse, 'note'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Rejects with what the driver says when the database must be asked and does not answer. */
  authenticate(token: string): Principal | null | Promise<Principal | null> {
    if (!isKeyShaped(token)) return null;
    const hash = hashOfKey(token);
    const key = this.#known.get(hash);
    if (key === undefined) return this.#ask(hash);
    const age = this.now() - key.confirmedAt;
    if (age >= CONFIRMED_MS) return this.#ask(hash);
    // What this look-up meets, the first request after the second is over meets again, and says.
    if (age >= CONFIRM_AGAIN_MS) this.#find(hash).catch(() => undefined);
    return this.#admit(key);
  }

  async #ask(hash: string): Promise<Principal | null> {
    const key = await this.#find(hash);
    return key === null ? null : this.#admit(key);
  }

  #admit({ id, principal }: KnownKey): Principal {
    this.lastUse.note(id, Date.now());
    return principal;
  }

  async #find(hash: string): Promise<KnownKey | null> {
    this.#next ??= this.#gather();
    this.#next.hashes.add(hash);
    return (await this.#next.found).get(hash) ?? null;
  }

  /** A batch that is sent when the one before it is answered; what is asked from then on is in the next. */
  #gather(): Batch {
    const hashes = new Set<string>();
    const before = this.#running;
    const look = async (): Promise<ReadonlyMap<string, KnownKey>> => {
      await before;
      this.#next = null;
      return this.#look([...hashes]);
    };
    const found = look();
    this.#running = found.then(ignore, ignore); // those who asked get the fault; the next batch only waits
    return { hashes, found };
  }

  async #look(hashes: readonly string[]): Promise<ReadonlyMap<string, KnownKey>> {
    const confirmedAt = this.now();
    const answer = await this.pool.query({
      name: 'tenure-find-keys',
      text: 'select id, name, hash, scopes from tenure.api_key where hash = any($1) and revoked_at is null',
      values: [hashes],
    });
    const found = new Map<string, KnownKey>();
    for (const { id, name, hash, scopes } of rows.parse(answer.rows)) {
      found.set(hash, { id, principal: { kind: 'key', actor: `key:${id}`, name, scopes }, confirmedAt });
    }
    for (const hash of hashes) {
      const key = found.get(hash);
      if (key === undefined) this.#known.delete(hash);
      else this.#known.set(hash, key);
    }
    return found;
  }
}

function ignore(): void {}
