/** How many things are remembered; beyond it the oldest are, at worst, told again. */
const REMEMBERED = 10_000;
const DAY_MS = 86_400_000;

/** Says of each thing once a day that it is there: what goes on for weeks must not fill the log. */
export class OnceADay {
  readonly #told = new Map<string, number>();

  constructor(private readonly now: () => number = Date.now) {}

  /** Whether `thing` was not told of in the last 24 hours; from now on it was. */
  isDue(thing: string): boolean {
    const at = this.now();
    const told = this.#told.get(thing);
    if (told !== undefined && at - told < DAY_MS) return false;
    this.#told.delete(thing);
    this.#told.set(thing, at);
    if (this.#told.size > REMEMBERED) {
      const [oldest] = this.#told.keys();
      if (oldest !== undefined) this.#told.delete(oldest);
    }
    return true;
  }
}
