/** A signal that wakes one waiter. It is kept while nobody waits, so that none is missed; several that are kept count as one. */
export class WakeSignal {
  #isSet = false;
  #resume: (() => void) | null = null;

  wake(): void {
    this.#isSet = true;
    this.#resume?.();
  }

  /** Comes back at the next signal, at once when one was kept, and after `ms` in any case. */
  async wait(ms: number): Promise<void> {
    if (!this.#isSet) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#resume = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#resume = null;
    }
    this.#isSet = false;
  }
}
