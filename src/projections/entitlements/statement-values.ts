/** SQL for the character between the texts of a `jsonColumn`. */
export const SEPARATOR = "E'\\x01'";

/**
 * The JSON texts of a column for `string_to_array`: an array literal takes several times as long to quote and to parse.
 * JSON escapes every control character, so the separator is in none of the texts.
 */
export function jsonColumn<T>(rows: readonly T[], pick: (row: T) => unknown): string {
  return textColumn(rows, (row) => JSON.stringify(pick(row)));
}

/** As `jsonColumn`, of texts that are JSON already. */
export function textColumn<T>(rows: readonly T[], pick: (row: T) => string): string {
  return rows.map(pick).join('\u0001');
}

/** Unix milliseconds as a text every session reads as UTC. */
export function instant(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
