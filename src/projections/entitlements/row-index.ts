/** Rows by a key that several of them may have, and some have not. */
export class RowIndex<Row> {
  readonly #rows = new Map<string, Set<Row>>();

  add(key: string | null, row: Row): void {
    if (key === null) return;
    const rows = this.#rows.get(key);
    if (rows === undefined) this.#rows.set(key, new Set([row]));
    else rows.add(row);
  }

  remove(key: string | null, row: Row): void {
    if (key === null) return;
    const rows = this.#rows.get(key);
    rows?.delete(row);
    if (rows?.size === 0) this.#rows.delete(key);
  }

  /** Rows with a key, in the order in which they were added; what changes later shows. */
  of(key: string): Iterable<Row> {
    return this.#rows.get(key) ?? [];
  }

  clear(): void {
    this.#rows.clear();
  }
}
