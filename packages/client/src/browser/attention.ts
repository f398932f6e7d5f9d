import type { Environment } from './environment.js';

/** A page that was hidden for less than this still counts as looked at. */
const HIDDEN_MS = 120_000;

/** Whether a page is worth being kept up to date: it is looked at, or was moments ago, and there is a network. */
export class Attention {
  #stop: (() => void) | null = null;
  #cancelHidden: (() => void) | null = null;
  #isAsleep = false;

  constructor(
    private readonly environment: Pick<Environment, 'page' | 'clock'>,
    /** Listener that is called when `isGiven` may have changed. */
    private readonly onChange: () => void,
  ) {}

  /** Whether the page is watched, between `begin` and `end`. */
  get isWatched(): boolean {
    return this.#stop !== null;
  }

  begin(): void {
    this.#stop ??= this.environment.page.onChange(this.onChange);
  }

  end(): void {
    this.#stop?.();
    this.#stop = null;
    this.#wake();
  }

  /** Looks at the page; one that is hidden is looked at again when its time is over. */
  isGiven(): boolean {
    const { page, clock } = this.environment;
    if (!page.isHidden()) {
      this.#wake();
    } else if (!this.#isAsleep) {
      this.#cancelHidden ??= clock.after(HIDDEN_MS, () => {
        this.#isAsleep = true;
        this.onChange();
      });
    }
    return !this.#isAsleep && page.isOnline();
  }

  #wake(): void {
    this.#cancelHidden?.();
    this.#cancelHidden = null;
    this.#isAsleep = false;
  }
}
