/** Memory the server spends on recently committed ids, and what one entry takes beside its stream name. */
const LIMIT_BYTES = 8 * 1024 * 1024;
const ENTRY_BYTES = 28;

/** Forgotten entries that are carried along before their memory is given back. */
const COMPACT_AT = 50_000;

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
  #ages: { readonly id: string; readonly place: CommittedPlace }[] = [];
  #oldest = 0;
  #bytes = 0;

  get(id: string): CommittedPlace | undefined {
    return this.#places.get(id);
  }

  put(id: string, place: CommittedPlace): void {
    this.#places.set(id, place);
    this.#ages.push({ id, place });
    this.#bytes += bytesOf(place);
    while (this.#bytes > LIMIT_BYTES) this.#forgetOldest();
  }

  clear(): void {
    this.#places.clear();
    this.#ages = [];
    this.#oldest = 0;
    this.#bytes = 0;
  }

  #forgetOldest(): void {
    const oldest = this.#ages[this.#oldest];
    if (oldest === undefined) throw new Error('nothing left to forget');
    this.#oldest += 1;
    this.#bytes -= bytesOf(oldest.place);
    if (this.#places.get(oldest.id) === oldest.place) this.#places.delete(oldest.id);
    if (this.#oldest < COMPACT_AT) return;
    this.#ages = this.#ages.slice(this.#oldest);
    this.#oldest = 0;
  }
}

function bytesOf(place: CommittedPlace): number {
  return ENTRY_BYTES + 2 * place.stream.length;
}
