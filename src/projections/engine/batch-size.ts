import { isTimeout } from '../../database/transient.js';

/**
 * How many events a batch takes at most. One that a time-out ended is tried at half its size; each that is committed lets
 * the next be twice as large again, up to the full size.
 */
export class BatchSize {
  #now: number;

  constructor(private readonly full: number) {
    this.#now = full;
  }

  get now(): number {
    return this.#now;
  }

  /** A batch was committed. */
  passed(): void {
    this.#now = Math.min(this.full, this.#now * 2);
  }

  /** A batch was not committed, and why. */
  failed(error: unknown): void {
    if (isTimeout(error)) this.#now = Math.max(1, Math.floor(this.#now / 2));
  }
}
