import { writeFile } from 'node:fs/promises';

/** One comparison. `ratio` is ours over theirs where more is better, theirs over ours where less is better. */
export interface Row {
  readonly work: string;
  readonly ours: number;
  readonly against: string;
  readonly theirs: number;
  readonly unit: string;
  readonly ratio: number;
  /** The ratio that must be reached, and the one aimed at (`null`: no higher aim). */
  readonly least: number;
  readonly aim: number | null;
}

/** A figure that explains the rows and is not judged. */
export interface Note {
  readonly what: string;
  readonly value: string;
}

export interface WorkReport {
  readonly rows: readonly Row[];
  readonly notes: readonly Note[];
}

/** The middle one of an odd number of figures, the mean of the middle two of an even number. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error('no figures');
  return (upper + lower) / 2;
}

/** The figure that so large a part of all (0 to 1) do not exceed. */
export function quantile(figures: readonly number[], part: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
  if (found === undefined) throw new Error('no figures');
  return found;
}

/** A row of "as much as possible per second". */
export function throughputRow(row: Omit<Row, 'ratio' | 'unit'>): Row {
  return { ...row, unit: '1/s', ratio: row.ours / row.theirs };
}

/** A row of "no more milliseconds than": `theirs` is the limit. */
export function limitRow(row: Omit<Row, 'ratio' | 'unit' | 'least' | 'aim'>): Row {
  return { ...row, unit: 'ms', ratio: row.theirs / row.ours, least: 1, aim: null };
}

/** `missed`, `reached` or `aimed` (the aim was reached too). */
export function verdict(row: Row): 'missed' | 'reached' | 'aimed' {
  if (row.ratio < row.least) return 'missed';
  return row.aim !== null && row.ratio >= row.aim ? 'aimed' : 'reached';
}

/** The rows as an aligned table, one line each, a heading first. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.work,
    figure(row.ours),
    row.against,
    figure(row.theirs),
    row.unit,
    `${row.ratio.toFixed(2)}×`,
    `${Number(row.least.toFixed(2))}×`,
    row.aim === null ? '–' : `${row.aim}×`,
    verdict(row),
  ]);
  return aligned([['work', 'ours', 'against', 'theirs', 'unit', 'ratio', 'least', 'aim', ''], ...cells]);
}

/** Writes everything a reader needs to judge the figures, as JSON. */
export async function writeResults(path: string, results: Readonly<Record<string, unknown>>): Promise<void> {
  await writeFile(path, `${JSON.stringify(results, null, 2)}\n`);
}

function aligned(lines: readonly (readonly string[])[]): string {
  const width = (column: number): number => Math.max(...lines.map((line) => (line[column] ?? '').length));
  const isNumber = (column: number): boolean => [1, 3, 5, 6, 7].includes(column);
  return lines
    .map((line) =>
      line
        .map((cell, column) => (isNumber(column) ? cell.padStart(width(column)) : cell.padEnd(width(column))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function figure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(1);
}
