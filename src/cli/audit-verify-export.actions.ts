import {
  ExportRefused,
  type ExportReport,
  reportLines,
  verifyExportFile,
} from '../audit/verifier/verify-export.mjs';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { show, type Terminal } from './terminal.js';

export interface VerifyExportOptions extends JsonOption {
  /** Verifier keys that were had elsewhere; none: those of the export itself. */
  readonly key?: readonly string[];
  /** A file with a checkpoint that was kept. */
  readonly against?: string;
}

/** `tenure audit verify-export`: runs what `verify-export.mjs` runs. */
export function verifyExport(terminal: Terminal, file: string, options: VerifyExportOptions): void {
  let report: ExportReport;
  try {
    report = verifyExportFile(file, { keys: options.key ?? [], against: options.against });
  } catch (error) {
    if (!(error instanceof ExportRefused)) throw error;
    terminal.err(`tenure: ${error.message} (${error.code})\n`);
    terminal.exitWith(EXIT.no);
    return;
  }
  show(terminal, options, report, reportLines(report));
}
