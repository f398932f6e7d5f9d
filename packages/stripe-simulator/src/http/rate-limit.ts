/** A bucket of requests that fills by so many a second (real time), and holds a second's worth. */
export class RateLimit {
  #left = 0;
  #at = 0;
  #perSecond: number | null = null;

  /** @param perSecond `null` lets any number through */
  constructor(private readonly milliseconds: () => number = () => performance.now()) {}

  /** Whether one more request may be answered. */
  take(perSecond: number | null): boolean {
    if (perSecond === null) return true;
    const now = this.milliseconds();
    if (perSecond !== this.#perSecond) {
      this.#perSecond = perSecond;
      this.#left = perSecond;
      this.#at = now;
    }
    this.#left = Math.min(perSecond, this.#left + ((now - this.#at) / 1_000) * perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
