import type { PairsRepository } from './pairs.repository.js';

/** How often the number of erasures is looked at while somebody waits for one, in milliseconds. */
const LOOK_MS = 1_000;
/** Pseudonyms that are looked up at once. */
const AT_ONCE = 1_000;

export interface ErasureWatchOptions {
  readonly pairs: Pick<PairsRepository, 'erasures' | 'findByPseudonym'>;
  readonly onTrouble: (error: unknown) => void;
  readonly lookMs?: number;
}

/**
 * Tells within a second that a user was erased, by whichever process, to what goes on about the user: streams and waits. One
 * question a second for however many there are; pairs are looked up of those who are new, and of all after an erasure.
 */
export class ErasureWatch {
  readonly #told = new Map<string, Set<() => void>>();
  /** Pseudonyms that no look has been for: the pair may have been gone before it was asked for. */
  #unseen = new Set<string>();
  #erasures: string | null = null;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;

  constructor(private readonly options: ErasureWatchOptions) {}

  /** Calls `onErased` once the pair of a pseudonym is gone, unless what it returns was called before. */
  onErased(pseudonym: string, onErased: () => void): () => void {
    const told = this.#told.get(pseudonym) ?? new Set();
    told.add(onErased);
    this.#told.set(pseudonym, told);
    this.#unseen.add(pseudonym);
    this.#timer ??= setInterval(() => void this.#look(), this.options.lookMs ?? LOOK_MS);
    return () => {
      told.delete(onErased);
      if (told.size > 0 || this.#told.get(pseudonym) !== told) return;
      this.#told.delete(pseudonym);
      this.#unseen.delete(pseudonym);
      this.#rest();
    };
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const unseen = this.#unseen;
    this.#unseen = new Set();
    try {
      const erasures = await this.options.pairs.erasures();
      await this.#lookUp([...(erasures === this.#erasures ? unseen : this.#told.keys())]);
      this.#erasures = erasures;
    } catch (error) {
      // The next look is for these, too.
      for (const each of unseen) this.#unseen.add(each);
      this.options.onTrouble(error);
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookUp(pseudonyms: readonly string[]): Promise<void> {
    for (let from = 0; from < pseudonyms.length; from += AT_ONCE) {
      const page = pseudonyms.slice(from, from + AT_ONCE);
      const pairs = await this.options.pairs.findByPseudonym(page);
      const found = new Set(pairs.map(({ pseudonym }) => pseudonym));
      for (const each of page) if (!found.has(each)) this.#tell(each);
    }
  }

  #tell(pseudonym: string): void {
    const told = this.#told.get(pseudonym) ?? [];
    this.#told.delete(pseudonym);
    for (const each of told) each();
    this.#rest();
  }

  #rest(): void {
    if (this.#told.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
