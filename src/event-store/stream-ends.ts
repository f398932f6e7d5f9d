/** The last event of a stream that was read: its revision and its hash, 64 hexadecimal digits. */
export interface StreamEnd {
  readonly revision: number;
  readonly hash: string;
}

/** Streams that are remembered where nothing else is said: 44 bytes each, which the system gives as they are used. */
const SLOTS = 2 ** 20;
/** Slots in which the end of one stream may stand. */
const WAYS = 4;
/** Words of 32 bits in a hash, each of eight digits. */
const HASH_WORDS = 8;
const WORD_DIGITS = 8;
const MOST_REVISION = 2 ** 32 - 2;

/**
 * Where streams end, by names that are kept as 64 bits each, in memory of a fixed size: a stream that there is no room for takes
 * the place of another, which is then not remembered.
 */
export class StreamEnds {
  readonly #names: Uint32Array;
  /** Revisions and one: 0 is an empty slot. */
  readonly #revisions: Uint32Array;
  readonly #hashes: Uint32Array;

  /** @param slots streams that are remembered at most, four or more */
  constructor(private readonly slots = SLOTS) {
    this.#names = new Uint32Array(2 * slots);
    this.#revisions = new Uint32Array(slots);
    this.#hashes = new Uint32Array(slots * HASH_WORDS);
  }

  /** Whether the stream is remembered, and ends there. */
  isAt(stream: string, { revision, hash }: StreamEnd): boolean {
    const [one, two] = nameOf(stream);
    const slot = this.#slotOf(one, two);
    if (slot === null || this.#revisions[slot] !== revision + 1) return false;
    if (hash.length !== HASH_WORDS * WORD_DIGITS) return false;
    for (let word = 0; word < HASH_WORDS; word += 1) {
      if (this.#hashes[slot * HASH_WORDS + word] !== wordAt(hash, word)) return false;
    }
    return true;
  }

  put(stream: string, { revision, hash }: StreamEnd): void {
    if (revision > MOST_REVISION) return;
    const [one, two] = nameOf(stream);
    const slot = this.#slotOf(one, two) ?? this.#freeSlot(one, two);
    this.#names[2 * slot] = one;
    this.#names[2 * slot + 1] = two;
    this.#revisions[slot] = revision + 1;
    for (let word = 0; word < HASH_WORDS; word += 1) {
      this.#hashes[slot * HASH_WORDS + word] = wordAt(hash, word);
    }
  }

  #slotOf(one: number, two: number): number | null {
    for (let way = 0; way < WAYS; way += 1) {
      const slot = this.#slotAt(one, way);
      const isIts = this.#names[2 * slot] === one && this.#names[2 * slot + 1] === two;
      if (isIts && this.#revisions[slot] !== 0) return slot;
    }
    return null;
  }

  #freeSlot(one: number, two: number): number {
    for (let way = 0; way < WAYS; way += 1) {
      if (this.#revisions[this.#slotAt(one, way)] === 0) return this.#slotAt(one, way);
    }
    return this.#slotAt(one, two % WAYS);
  }

  #slotAt(one: number, way: number): number {
    return (one + way) % this.slots;
  }
}

/** Two hashes of a name that have nothing to do with each other (FNV-1a, and one of multiplication by another prime). */
function nameOf(stream: string): readonly [one: number, two: number] {
  let [one, two] = [0x811c9dc5, 0x9e3779b9];
  for (let at = 0; at < stream.length; at += 1) {
    const code = stream.charCodeAt(at);
    one = Math.imul(one ^ code, 0x01000193);
    two = Math.imul(two ^ code, 0x85ebca6b) ^ (two >>> 15);
  }
  return [(one ^ (one >>> 13)) >>> 0, two >>> 0];
}

/** What a character code is as a hexadecimal digit of a hash; -1: none, capital letters among them. */
const DIGITS = Int8Array.from({ length: 128 }, (_, code) =>
  '0123456789abcdef'.indexOf(String.fromCharCode(code)),
);

/** The `word`-th eight digits of a hash as a number; -1, which no word is, where they are no digits. */
function wordAt(hash: string, word: number): number {
  let [value, isNone] = [0, 0];
  for (let at = word * WORD_DIGITS; at < (word + 1) * WORD_DIGITS; at += 1) {
    const digit = DIGITS[hash.charCodeAt(at)] ?? -1;
    isNone |= digit;
    value = (value << 4) | digit;
  }
  return isNone < 0 ? -1 : value >>> 0;
}
