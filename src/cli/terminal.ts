import type { ExitCode } from './exit-codes.js';

/** What a command is given of its surroundings, and where it writes. */
export interface Terminal {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was asked for, and nothing else: it may be read by a program. */
  out(text: string): void;
  /** Everything that is for people. */
  err(text: string): void;
  /** Whether people see `err` on a terminal, where a line can take the place of the one before. */
  readonly isInteractive: boolean;
  /** Says what the command ends with; unsaid, it is `done`. */
  exitWith(code: ExitCode): void;
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

const CLEAR_LINE = '\r\x1b[2K';
/** How often work that goes on is told where lines are kept, in milliseconds. */
const TOLD_EVERY_MS = 2_000;

/** How far work is: on a terminal one line that changes, elsewhere a line now and then. */
export class ProgressLine {
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly terminal: Terminal) {}

  tell(line: string): void {
    if (this.terminal.isInteractive) this.terminal.err(`${CLEAR_LINE}tenure: ${line}`);
    else if (performance.now() - this.#toldAt >= TOLD_EVERY_MS) {
      this.#toldAt = performance.now();
      this.terminal.err(`tenure: ${line}\n`);
    }
  }

  /** Makes room for other lines where the line stands. */
  end(): void {
    if (this.terminal.isInteractive) this.terminal.err(CLEAR_LINE);
  }
}
