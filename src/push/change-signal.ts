/** Tells many at once that something may have changed. Whoever looks takes `count` first, so that nothing is missed between. */
export class ChangeSignal {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  /** How often something changed. */
  get count(): number {
    return this.#count;
  }

  changed(): void {
    this.#count += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Comes back once `count` is above `seen`, after `ms` milliseconds, or when `signal` is aborted. */
  after(seen: number, ms: number, signal: AbortSignal): Promise<void> {
    if (this.#count > seen || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, ms));
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }
}
