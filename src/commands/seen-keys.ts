/** The keys of one growing history, each with the count of keys after it was added; shared by all sets along it. */
interface History {
  readonly addedAs: Map<string, number>;
}

/**
 * An immutable set of keys that is extended in constant time: the sets along one history share a map, in which each sees
 * what was added up to its own size. A set that is not the newest of its history copies what it sees when it is extended.
 */
export class SeenKeys {
  static readonly none = new SeenKeys({ addedAs: new Map() }, 0);

  private constructor(
    private readonly history: History,
    readonly size: number,
  ) {}

  has(key: string): boolean {
    return (this.history.addedAs.get(key) ?? Number.POSITIVE_INFINITY) <= this.size;
  }

  /** The set with one more key. */
  with(key: string): SeenKeys {
    if (this.has(key)) return this;
    const { addedAs } = this.history;
    const isNewest = this.size > 0 && addedAs.size === this.size;
    const history = isNewest ? this.history : { addedAs: new Map([...addedAs].slice(0, this.size)) };
    history.addedAs.set(key, this.size + 1);
    return new SeenKeys(history, this.size + 1);
  }
}
