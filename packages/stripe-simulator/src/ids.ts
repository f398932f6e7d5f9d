const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Random numbers and ids that are the same for the same seed: a life can be lived again, with the same ids. */
export class Ids {
  #state: number;

  /** @param seed any whole number */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 up to, not including, 1 (Mulberry32). */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** So many random letters and digits. They are made at once: a text that grows letter by letter takes thirty times its memory. */
  letters(length: number): string {
    const codes: number[] = [];
    while (codes.length < length) {
      let left = Math.floor(this.random() * 4_294_967_296);
      // A draw has 32 bits, which is five letters and a little.
      for (let n = 0; n < 5 && codes.length < length; n += 1) {
        codes.push(LETTERS.charCodeAt(left % LETTERS.length));
        left = Math.floor(left / LETTERS.length);
      }
    }
    return String.fromCharCode(...codes);
  }

  /** An id of Stripe's form, such as `sub_1Q…` for `sub`. */
  next(prefix: string): string {
    return `${prefix}_1${this.letters(23)}`;
  }
}
