import type { ExitCode } from './exit-codes.js';

/** What a command is given of its surroundings, and where it writes. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was asked for, and nothing else: it may be read by a program. @throws OutputClosedError */
  out(text: string): void;
  /** Everything that is for people. */
  err(text: string): void;
  /** Columns of the terminal that `err` goes to; left out where it goes to a file, a pipe or a log. */
  readonly width?: number;
  /** Whether what goes to `out` may be coloured; left out where it goes to a file, a pipe or a program. */
  readonly colours?: true;
  /** Says what the command ends with; unsaid, it is `done`. */
  exitWith(code: ExitCode): void;
}

/** Whoever reads what a command prints wants no more of it, as `head` does: the command ends, and nothing went wrong. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/** Who calls, unless told otherwise. */
export function operator({ environment }: Terminal): string {
  return `cli:${environment.USER ?? environment.LOGNAME ?? `uid ${process.getuid?.() ?? 'unknown'}`}`;
}

/** Rows under their headings, in columns of one width each. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One JSON value on a line of its own. */
export function json(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/** Prints a result: as one JSON value where that was asked for, else in lines for people. */
export function show(
  terminal: Terminal,
  options: { readonly json?: boolean },
  value: unknown,
  lines: readonly string[],
): void {
  if (options.json === true) terminal.out(json(value));
  else for (const line of lines) terminal.out(`${line}\n`);
}

/** Message of what was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
