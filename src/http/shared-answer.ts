/**
 * The answer to a question that anybody may ask, as often as he likes: it is asked once for all who wait, and its answer is
 * told for `keptMs` milliseconds from when it was asked. A fault is told to those who wait, and not kept.
 */
export class SharedAnswer<T> {
  #asked: Promise<T> | null = null;
  #askedAt = 0;
  #isAnswered = false;
  #answer: T | null = null;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly keptMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get(): Promise<T> {
    const isOld = this.#isAnswered && this.#isOld();
    if (this.#asked !== null && !isOld) return this.#asked;
    const asked = this.#askAgain();
    this.#asked = asked;
    // A fault may be there already: `ask` itself may have thrown.
    asked.catch(() => {
      this.#asked = null;
    });
    return asked;
  }

  /** The answer that is told now, or `null` where it must be asked for. */
  peek(): T | null {
    return this.#isAnswered && !this.#isOld() ? this.#answer : null;
  }

  #isOld(): boolean {
    return this.now() - this.#askedAt >= this.keptMs;
  }

  async #askAgain(): Promise<T> {
    this.#askedAt = this.now();
    this.#isAnswered = false;
    const answer = await this.ask();
    this.#answer = answer;
    this.#isAnswered = true;
    return answer;
  }
}
