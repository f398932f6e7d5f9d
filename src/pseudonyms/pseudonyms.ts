import { LRUCache } from 'lru-cache';
import { holdsAddress, isUserId } from '../events/user-id.js';
import type { KeyedHashes } from './keyed-hashes.js';
import type { LoggedErasure, Pair, PairsRepository } from './pairs.repository.js';
import { erasedMarkOf, isErasedMark, isPseudonym, replaceStoredIds, storedIdsIn } from './pseudonym.js';

/** DI token of the pseudonyms of this process; `null` where user ids are kept as they are. */
export const PSEUDONYMS = Symbol('PSEUDONYMS');

/** Pairs in memory: about 400 bytes each. */
const PAIRS_IN_MEMORY = 50_000;
/** What is in memory counts for so long after the number of erasures was last looked at, in milliseconds. */
const CONFIRMED_MS = 1_000;

export interface PseudonymsOptions {
  readonly pairs: PairsRepository;
  readonly hashes: KeyedHashes;
  /** What a user id must match as a whole; `null`: anything. */
  readonly userIdPattern: RegExp | null;
  /** Hears that a user id holds what looks like an address of an e-mail, when it gets its pseudonym. */
  readonly onAddress?: () => void;
}

/**
 * The one edge where user ids and what stands for them in log and read models are exchanged (DESIGN 4, "Pseudonyms"). Inside,
 * a user id is a pseudonym; outside it is your own. Pairs are in memory, and no answer is made of one that any instance erased more
 * than a second ago.
 */
export class Pseudonyms {
  readonly #byUserId = new LRUCache<string, Pair>({ max: PAIRS_IN_MEMORY });
  readonly #byPseudonym = new LRUCache<string, Pair>({ max: PAIRS_IN_MEMORY });
  /** User ids of erased marks, in memory alone: what a reply says of whom. */
  readonly #erased = new LRUCache<string, string>({ max: PAIRS_IN_MEMORY });
  #erasures: string | null = null;
  /** How often all was dropped from memory: what was asked for before it is not kept. */
  #forgotten = 0;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #confirming: Promise<void> | null = null;

  constructor(private readonly options: PseudonymsOptions) {}

  get hashes(): KeyedHashes {
    return this.options.hashes;
  }

  /** Whether a text may be a user id here: valid, as `USER_ID_PATTERN` wants it, and no pseudonym itself. */
  isUserId(text: unknown): text is string {
    const { userIdPattern } = this.options;
    if (!isUserId(text) || isPseudonym(text) || isErasedMark(text)) return false;
    return userIdPattern === null || userIdPattern.test(text);
  }

  /**
   * What stands for these user ids inside: the pseudonym of each, a new one where it had none, or a mark where its user is
   * erased (`isErasedMark`).
   * @param userIds texts for which `isUserId` holds
   */
  async storedOf(userIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = await this.pairsOf(userIds);
    return new Map(
      [...found].map(([userId, pair]) => [userId, pair === null ? this.#mark(userId) : pair.pseudonym]),
    );
  }

  /** The same of one. */
  async storedOfOne(userId: string): Promise<string> {
    const known = this.peek(userId);
    if (known !== null) return known;
    return (await this.storedOf([userId])).get(userId) ?? this.#mark(userId);
  }

  /** The pseudonym of an id, where it is in memory and that is known to count now. */
  peek(userId: string): string | null {
    return this.#isConfirmed ? (this.#byUserId.get(userId)?.pseudonym ?? null) : null;
  }

  /** The pairs of these user ids, made where there are none; `null` of who is erased. */
  async pairsOf(userIds: readonly string[]): Promise<ReadonlyMap<string, Pair | null>> {
    await this.#confirm();
    const pairs = new Map<string, Pair | null>();
    const unknown = new Set<string>();
    for (const userId of userIds) {
      const known = this.#byUserId.get(userId);
      if (known === undefined) unknown.add(userId);
      else pairs.set(userId, known);
    }
    if (unknown.size === 0) return pairs;
    const forgotten = this.#forgotten;
    const found = await this.options.pairs.find([...unknown]);
    for (const { userId } of found) unknown.delete(userId);
    if ([...unknown].some(holdsAddress)) this.options.onAddress?.();
    const made = unknown.size === 0 ? [] : await this.options.pairs.findOrMake(this.#wanted(unknown));
    for (const each of [...found, ...made]) {
      const pair = 'erased' in each ? null : each;
      pairs.set(each.userId, pair);
      if (pair !== null && forgotten === this.#forgotten) this.#keep(pair);
    }
    return pairs;
  }

  /** User ids of these pseudonyms and marks; those without a pair are left out. */
  async userIdsOf(stored: readonly string[]): Promise<ReadonlyMap<string, string>> {
    await this.#confirm();
    const userIds = new Map<string, string>();
    const unknown: string[] = [];
    for (const each of new Set(stored)) {
      const known = this.#byPseudonym.get(each)?.userId ?? this.#erased.get(each);
      if (known !== undefined) userIds.set(each, known);
      else if (isPseudonym(each)) unknown.push(each);
    }
    if (unknown.length === 0) return userIds;
    const forgotten = this.#forgotten;
    for (const pair of await this.options.pairs.findByPseudonym(unknown)) {
      userIds.set(pair.pseudonym, pair.userId);
      if (forgotten === this.#forgotten) this.#keep(pair);
    }
    return userIds;
  }

  /** The text with user ids in place of pseudonyms, each written by `write`; what has no pair stays. */
  async reveal(text: string, write: (userId: string) => string = asItIs): Promise<string> {
    const stored = storedIdsIn(text);
    if (stored.length === 0) return text;
    const userIds = await this.userIdsOf(stored);
    return replaceStoredIds(text, (each) => {
      const userId = userIds.get(each);
      return userId === undefined ? undefined : write(userId);
    });
  }

  /** As `reveal`, from memory; `null` where that does not suffice. */
  revealNow(text: string, write: (userId: string) => string = asItIs): string | null {
    const stored = storedIdsIn(text);
    if (stored.length === 0) return text;
    if (!this.#isConfirmed) return null;
    const userIds = new Map<string, string>();
    for (const each of stored) {
      const userId = this.#byPseudonym.get(each)?.userId ?? this.#erased.get(each);
      if (userId === undefined) return null;
      userIds.set(each, userId);
    }
    return replaceStoredIds(text, (each) => {
      const userId = userIds.get(each);
      return userId === undefined ? undefined : write(userId);
    });
  }

  /** Those of these pseudonyms whose users are not erased: lists, feeds and messages leave the others out. */
  async withUserId<Item>(items: readonly Item[], storedOf: (item: Item) => string): Promise<readonly Item[]> {
    const userIds = await this.userIdsOf(items.map(storedOf));
    return items.filter((item) => userIds.has(storedOf(item)));
  }

  /** The user id that an erased mark stands for, as long as it is in memory: longer than a request. */
  erasedIdOf(mark: string): string | null {
    return this.#erased.get(mark) ?? null;
  }

  /** Drops the pair of an erased user; the pseudonym that it had, `null` where it had none. */
  async erase(userId: string, erasedAt: number): Promise<string | null> {
    const dropped = await this.options.pairs.erase({ userId, hash: this.hashes.ofUser(userId) }, erasedAt);
    this.#forget();
    return dropped;
  }

  /** Lets an erased user begin anew, with a new pseudonym; it. */
  async readmit(userId: string, readmittedAt: number): Promise<string> {
    await this.options.pairs.readmit(this.hashes.ofUser(userId), readmittedAt);
    this.#forget();
    return this.storedOfOne(userId);
  }

  /** Brings the pairs to what the log says; how many of them were of users erased since. */
  async follow(erasures: readonly LoggedErasure[]): Promise<number> {
    const dropped = await this.options.pairs.follow(erasures, (userId) => this.hashes.ofUser(userId));
    this.#forget();
    return dropped;
  }

  get #isConfirmed(): boolean {
    return performance.now() - this.#confirmedAt < CONFIRMED_MS;
  }

  #confirm(): Promise<void> {
    if (this.#isConfirmed) return Promise.resolve();
    this.#confirming ??= this.#look().finally(() => {
      this.#confirming = null;
    });
    return this.#confirming;
  }

  async #look(): Promise<void> {
    const asked = performance.now();
    const forgotten = this.#forgotten;
    const erasures = await this.options.pairs.erasures();
    if (forgotten !== this.#forgotten) return; // it was counted before an erasure of this process
    if (erasures !== this.#erasures) this.#forget();
    this.#erasures = erasures;
    this.#confirmedAt = asked;
  }

  #forget(): void {
    this.#byUserId.clear();
    this.#byPseudonym.clear();
    this.#forgotten += 1;
    this.#erasures = null;
    this.#confirmedAt = Number.NEGATIVE_INFINITY;
  }

  #keep(pair: Pair): void {
    this.#byUserId.set(pair.userId, pair);
    this.#byPseudonym.set(pair.pseudonym, pair);
  }

  #wanted(userIds: Iterable<string>) {
    return [...userIds].map((userId) => ({ userId, hash: this.hashes.ofUser(userId) }));
  }

  #mark(userId: string): string {
    const mark = erasedMarkOf(this.hashes.ofUser(userId));
    this.#erased.set(mark, userId);
    return mark;
  }
}

function asItIs(userId: string): string {
  return userId;
}
