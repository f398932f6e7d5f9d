/** What was kept of a kind since its last line. */
interface Kind {
  toldAt: number;
  leftOut: number;
}

/** Lets one of each kind through in a while, so that a flood of one kind is a few lines that say how many they stand for. */
export class Sampler {
  readonly #kinds = new Map<string, Kind>();

  /** @param everyMs a kind is told of at most once in so many milliseconds */
  constructor(
    private readonly everyMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** How many of `kind` were left out since the last that was told; `null` where this one is to be left out. */
  take(kind: string): number | null {
    const at = this.now();
    const known = this.#kinds.get(kind);
    if (known !== undefined && at - known.toldAt < this.everyMs) {
      known.leftOut += 1;
      return null;
    }
    this.#kinds.set(kind, { toldAt: at, leftOut: 0 });
    return known?.leftOut ?? 0;
  }
}
