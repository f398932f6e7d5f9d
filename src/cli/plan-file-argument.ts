import { InvalidPlanFileError, type LoadedCatalog, loadPlanFile } from '../plans/plan-file.js';
import { EXIT } from './exit-codes.js';
import type { Terminal } from './terminal.js';

/** Does `work` with the catalogue of a file; one with faults is told, line by line. */
export async function withPlanFile(
  terminal: Terminal,
  file: string,
  work: (given: LoadedCatalog) => Promise<void>,
): Promise<void> {
  let given: LoadedCatalog;
  try {
    given = await loadPlanFile(file);
  } catch (error) {
    if (!(error instanceof InvalidPlanFileError)) throw error;
    for (const line of error.lines) terminal.err(`${line}\n`);
    terminal.exitWith(EXIT.data);
    return;
  }
  await work(given);
}
