/** Memory the server spends on recently committed ids, and what one entry takes beside its stream name. */
const LIMIT_BYTES = 8 * 1024 * 1024;
const ENTRY_BYTES = 28;

/** Where an id was stored last. */
export interface CommittedPlace {
  readonly stream: string;
  readonly revision: number;
}

/**
 * The recently committed event ids, oldest forgotten first. Repeats at `any` and `stream_exists` are known from here
 * alone, so they are forgotten with it: on a restart, and after some 65,000 events of a 50-character stream.
 */
export class CommittedIds {
  readonly #places = new Map<string, CommittedPlace>();
  #bytes = 0;

  get(id: string): CommittedPlace | undefined {
    return this.#places.get(id);
  }

  put(id: string, place: CommittedPlace): void {
    this.#forget(id);
    this.#places.set(id, place);
    this.#bytes += bytesOf(place);
    for (const oldest of this.#places.keys()) {
      if (this.#bytes <= LIMIT_BYTES) break;
      this.#forget(oldest);
    }
  }

  clear(): void {
    this.#places.clear();
    this.#bytes = 0;
  }

  #forget(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    this.#bytes -= bytesOf(place);
  }
}

function bytesOf(place: CommittedPlace): number {
  return ENTRY_BYTES + 2 * place.stream.length;
}
