import type { Clock } from './environment.js';

/** A signal that ends with another one, or when its time is over: then `isOver` is true. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;
  isOver = false;
  #cancel: () => void;
  readonly #detach: () => void;

  constructor(
    private readonly clock: Clock,
    milliseconds: number,
    outer: AbortSignal,
  ) {
    const end = () => this.#controller.abort();
    outer.addEventListener('abort', end);
    this.#detach = () => outer.removeEventListener('abort', end);
    if (outer.aborted) end();
    this.#cancel = this.#begin(milliseconds);
  }

  /** Begins the time anew. */
  restart(milliseconds: number): void {
    this.#cancel();
    this.#cancel = this.#begin(milliseconds);
  }

  /** Ends what the signal was given to, and frees the timer. */
  end(): void {
    this.#cancel();
    this.#detach();
    this.#controller.abort();
  }

  #begin(milliseconds: number): () => void {
    return this.clock.after(milliseconds, () => {
      this.isOver = true;
      this.#controller.abort();
    });
  }
}

/** Waits so long, or until the signal ends. */
export function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(milliseconds, end);
    signal.addEventListener('abort', end);
  });
}
