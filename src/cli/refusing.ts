import { GenerationError } from '../projections/rebuild/errors.js';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** Does `work`; what is refused is said in a line, with its code, and ends the command with 1. */
export async function refusing(terminal: Terminal, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof GenerationError)) throw error;
    terminal.err(`tenure: ${error.message} (${error.code})\n`);
    terminal.exitWith(EXIT.no);
  }
}
