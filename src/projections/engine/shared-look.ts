/**
 * A question to a store that many may have at once: one look at a time, and whoever asks gets the answer of a look that
 * began after the question, shared with all who asked meanwhile.
 */
export class SharedLook<Answer> {
  #running: Promise<Answer> | null = null;
  #next: Promise<Answer> | null = null;

  constructor(private readonly look: () => Promise<Answer>) {}

  /** Rejects with what the look threw. */
  ask(): Promise<Answer> {
    if (this.#next !== null) return this.#next;
    if (this.#running === null) return this.#begin();
    this.#next = this.#running.then(ignore, ignore).then(() => {
      this.#next = null;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<Answer> {
    const look = this.look().finally(() => {
      this.#running = null;
    });
    this.#running = look;
    return look;
  }
}

function ignore(): void {}
