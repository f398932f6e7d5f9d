import { Command } from 'commander';
import type { JsonOption } from './arguments.js';
import type { RestoreOptions } from './backup.actions.js';
import { talksTo } from './talks-to.js';
import { operator, type Terminal } from './terminal.js';

const BACKUP_HELP = `
The log up to where it ends at the start, byte for byte, and what is not in the log: keys of the API, offsets of versions, the
revocation feed, and what was served before swaps. Read models are left out: they are made from the log. Services go on
meanwhile. The file has its name once it is whole; a file that is there is never written over. \`head -1\` shows its header.
The file tells who bought what, and holds hashes of keys: it is readable by its owner alone.

Exits with 1 when there is such a file, or when the log does not follow its own hash chain.`;

const RESTORE_HELP = `
Into an empty log and an empty database, in PostgreSQL or EventStoreDB, wherever the backup is from; STREAM_PREFIX must be the
same. Everything is checked: the whole file before anything is written, the hash chain of every stream, and what the log then
holds. At the end the log is folded, and read models are there as they were. No service may run on it meanwhile, and none
starts before the end. Broken off, the same command goes on. Keys, versions and the cursors of the revocation feed go on to
hold; what tells a position tells that of the new log.

Exits with 65 when the file is not whole, with 1 when log or database are not empty.`;

const actions = () => import('./backup.actions.js');

/** `tenure backup`. */
export function backupCommand(terminal: Terminal): Command {
  const backup = new Command('backup')
    .description('Writes the log, and what is not in it, to a file.')
    .argument('<file>', 'the file to be made, such as tenure-2026-11-29.backup')
    .option('--json', 'print {path, bytes, events, rows, origin, head, sha256} as JSON')
    .addHelpText('after', BACKUP_HELP)
    .action(async (file: string, options: JsonOption) => (await actions()).backUpTo(terminal, file, options));
  return talksTo(backup, 'databaseAndLog');
}

/** `tenure restore`. */
export function restoreCommand(terminal: Terminal): Command {
  const restore = new Command('restore')
    .description('Brings a backup back into an empty log and an empty database.')
    .argument('<file>', 'a file that `backup` made')
    .option('--actor <name>', 'who', operator(terminal))
    .option('--json', 'print {path, events, rows, origin, found, generation, sha256} as JSON')
    .addHelpText('after', RESTORE_HELP)
    .action(async (file: string, options: RestoreOptions) =>
      (await actions()).restoreFrom(terminal, file, options),
    );
  return talksTo(restore, 'databaseAndLog');
}
