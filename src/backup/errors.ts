import { NamedError } from '../observability/named-error.js';

/** A file is no backup, or not a whole one. The message says where. */
export class BackupFileError extends NamedError {
  readonly code = 'backup_file_broken';
}

/** A backup or a restore is refused as things are; nothing was changed by what was refused. */
export class BackupRefusedError extends NamedError {
  readonly code = 'backup_refused';
}
