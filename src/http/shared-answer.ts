/**
 * The answer to a question that anybody may ask, as often as he likes: it is asked once for all who wait, and its answer is
 * told for `keptMs` milliseconds from when it was asked. A fault is told to those who wait, and not kept.
 */
export class SharedAnswer<T> {
  #asked: Promise<T> | null = null;
  #askedAt = 0;
  #isAnswered = false;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly keptMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get(): Promise<T> {
    const isOld = this.#isAnswered && this.now() - this.#askedAt >= this.keptMs;
    if (this.#asked === null || isOld) this.#asked = this.#askAgain();
    return this.#asked;
  }

  async #askAgain(): Promise<T> {
    this.#askedAt = this.now();
    this.#isAnswered = false;
    try {
      const answer = await this.ask();
      this.#isAnswered = true;
      return answer;
    } catch (error) {
      this.#asked = null;
      throw error;
    }
  }
}
