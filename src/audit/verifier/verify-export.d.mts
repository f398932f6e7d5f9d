/** The export does not hold; the message says why, in one line. */
export class ExportRefused extends Error {
  readonly name: 'ExportRefused';
  readonly code: 'export_refused';
}

/** What an export that holds says of itself; `signedBy` are verifier keys. */
export interface ExportReport {
  readonly user: string;
  readonly origin: string;
  readonly exportedAt: string;
  readonly events: number;
  readonly streams: number;
  readonly snapshots: number;
  readonly checkpoint: { readonly size: number; readonly root: string };
  readonly signedBy: readonly string[];
  readonly keys: 'given' | 'of the export itself';
  readonly against: 'holds' | null;
}

export interface VerifyExportOptions {
  readonly keys: readonly string[];
  readonly against: string | null;
  readonly readBeside: (name: string) => Uint8Array | null;
}

/** Checks the bytes of an export. @throws ExportRefused */
export function verifyExport(bytes: Uint8Array, options: VerifyExportOptions): ExportReport;

/** Reads what verifyExport needs; `against` is a file, too. @throws ExportRefused, and what the file system answers */
export function verifyExportFile(
  file: string,
  options: { readonly keys: readonly string[]; readonly against: string | undefined },
): ExportReport;

/** What a report says, for people. */
export function reportLines(report: ExportReport): readonly string[];
