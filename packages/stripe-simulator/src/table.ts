/** Which page of a list is asked for (Stripe: "Pagination"). */
export interface Cursor {
  readonly limit: number;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

/** Rows of a page, newest first, and whether more lie behind it in the direction that was asked for. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly has_more: boolean;
}

/** A cursor names a row that is not in the table. */
export class UnknownCursorError extends Error {
  override readonly name = 'UnknownCursorError';
  constructor(
    readonly parameter: 'starting_after' | 'ending_before',
    readonly id: string,
  ) {
    super(`no such row: ${id}`);
  }
}

export interface Selection<Row, Index extends string> {
  /** Key that the rows have; the rows of a key are found without looking at others. */
  readonly by?: readonly [index: Index, key: string] | undefined;
  readonly where?: ((row: Row) => boolean) | undefined;
}

type KeyOf<Row> = (row: Row) => string | null | undefined;

/** Places in the order of making, of which the first ones go without the others being moved. */
class Positions {
  #values: number[] = [];
  #start = 0;

  get length(): number {
    return this.#values.length - this.#start;
  }

  at(index: number): number | undefined {
    return this.#values[this.#start + index];
  }

  push(position: number): void {
    this.#values.push(position);
  }

  remove(position: number): void {
    if (this.#values[this.#start] !== position) {
      this.#values.splice(this.#start + this.indexOf(position), 1);
      return;
    }
    this.#start += 1;
    if (this.#start > 1_000 && this.#start > this.length) {
      this.#values = this.#values.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Index of the first one that is not below `position`. */
  indexOf(position: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.at(middle) ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const NONE = new Positions();

/**
 * Rows of one kind by id, in the order in which they were made, with indexes on what never changes of them. Making, finding
 * and replacing a row takes constant time, a page of an index as long as the page.
 */
export class Table<Row extends { readonly id: string }, Index extends string = never> {
  readonly #rows: (Row | undefined)[] = [];
  readonly #positions = new Map<string, number>();
  readonly #indexes: readonly (readonly [Index, KeyOf<Row>, Map<string, Positions>])[];
  readonly #all = new Positions();

  constructor(indexes: Readonly<Record<Index, KeyOf<Row>>>) {
    const names = Object.keys(indexes) as Index[];
    this.#indexes = names.map((name) => [name, indexes[name], new Map()]);
  }

  get size(): number {
    return this.#positions.size;
  }

  find(id: string): Row | undefined {
    const position = this.#positions.get(id);
    return position === undefined ? undefined : this.#rows[position];
  }

  /** Adds a row, or puts it in the place of the one with its id. */
  put(row: Row): void {
    const position = this.#positions.get(row.id);
    if (position !== undefined) {
      this.#rows[position] = row;
      return;
    }
    const next = this.#rows.push(row) - 1;
    this.#positions.set(row.id, next);
    this.#all.push(next);
    for (const [, keyOf, positions] of this.#indexes) {
      const key = keyOf(row);
      if (key == null) continue;
      const known = positions.get(key);
      if (known !== undefined) known.push(next);
      else {
        const first = new Positions();
        first.push(next);
        positions.set(key, first);
      }
    }
  }

  remove(id: string): void {
    const position = this.#positions.get(id);
    const row = this.find(id);
    if (position === undefined || row === undefined) return;
    this.#positions.delete(id);
    this.#rows[position] = undefined;
    this.#all.remove(position);
    for (const [, keyOf, positions] of this.#indexes) {
      const key = keyOf(row);
      const known = key == null ? undefined : positions.get(key);
      if (key == null || known === undefined) continue;
      known.remove(position);
      if (known.length === 0) positions.delete(key);
    }
  }

  /** The row that was made first of those that are left. */
  get oldest(): Row | undefined {
    const position = this.#all.at(0);
    return position === undefined ? undefined : this.#rows[position];
  }

  /** Rows from the oldest to the newest. */
  *select({ by, where }: Selection<Row, Index> = {}): Generator<Row> {
    const positions = this.#of(by);
    for (let at = 0; at < positions.length; at += 1) {
      const row = this.#rows[positions.at(at) ?? -1];
      if (row !== undefined && (where === undefined || where(row))) yield row;
    }
  }

  /** A page, newest first. @throws UnknownCursorError */
  page(cursor: Cursor, { by, where }: Selection<Row, Index> = {}): Page<Row> {
    const positions = this.#of(by);
    const isBackwards = cursor.ending_before !== undefined;
    const start = isBackwards
      ? this.#place(positions, 'ending_before', cursor.ending_before) + 1
      : cursor.starting_after === undefined
        ? positions.length - 1
        : this.#place(positions, 'starting_after', cursor.starting_after) - 1;
    const data: Row[] = [];
    for (let at = start; at >= 0 && at < positions.length; at += isBackwards ? 1 : -1) {
      const row = this.#rows[positions.at(at) ?? -1];
      if (row === undefined || (where !== undefined && !where(row))) continue;
      if (data.length === cursor.limit) return { data: isBackwards ? data.reverse() : data, has_more: true };
      data.push(row);
    }
    return { data: isBackwards ? data.reverse() : data, has_more: false };
  }

  #of(by: Selection<Row, Index>['by']): Positions {
    if (by === undefined) return this.#all;
    return this.#indexes.find(([name]) => name === by[0])?.[2].get(by[1]) ?? NONE;
  }

  /** Where the row of a cursor stands among `positions`, or would stand. */
  #place(
    positions: Positions,
    parameter: 'starting_after' | 'ending_before',
    id: string | undefined,
  ): number {
    const position = this.#positions.get(id ?? '');
    if (position === undefined) throw new UnknownCursorError(parameter, id ?? '');
    return positions.indexOf(position);
  }
}
