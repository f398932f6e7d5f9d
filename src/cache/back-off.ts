/** Pauses after troubles in a row, in milliseconds: from the first to the longest, each twice the one before. */
const FIRST_MS = 20;
const LONGEST_MS = 160;

/**
 * Tells for how long something that had trouble is left alone: shortly after a first trouble, so that one late answer costs
 * next to nothing, and longer with each that follows before it did well again. Times are milliseconds of one clock.
 */
export class BackOff {
  #until = Number.NEGATIVE_INFINITY;
  #pause = FIRST_MS;

  /** Whether it is left alone now. */
  isOn(now: number): boolean {
    return now < this.#until;
  }

  /** What was asked at `asked` went well. What was asked before the last trouble says nothing of after it. */
  wentWell(asked: number): void {
    if (asked >= this.#until) this.#pause = FIRST_MS;
  }

  /** What was asked at `asked` had trouble. All that was under way then is one trouble. */
  hadTrouble(asked: number, now: number): void {
    if (asked < this.#until) return;
    this.#until = now + this.#pause;
    this.#pause = Math.min(LONGEST_MS, this.#pause * 2);
  }
}
