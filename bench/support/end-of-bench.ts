import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';

const undoings: (() => unknown)[] = [];

process.once('exit', () => {
  for (const undo of undoings.reverse()) undo();
});

/** Has something undone with the end of the bench, whatever ends it but SIGKILL: nothing that `undo` goes on with later is waited for. */
export function atEndOfBench(undo: () => unknown): void {
  undoings.push(undo);
}

/** Makes a folder whose path begins with `prefix`; it is removed with the end of the bench. */
export async function benchFolder(prefix: string): Promise<string> {
  const folder = await mkdtemp(prefix);
  atEndOfBench(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
