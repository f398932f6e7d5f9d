import { NamedError } from '../observability/named-error.js';

/** Base of the faults of the database and of the server Tenure starts itself; `code` is stable, `message` is one line. */
export abstract class DatabaseError extends NamedError {}

/** Another living Tenure process owns the data folder. `pid` is that process, `null` when it did not say. */
export class DataDirInUseError extends DatabaseError {
  readonly code = 'data_dir_in_use';
  constructor(
    readonly dataDir: string,
    readonly pid: number | null,
  ) {
    super(
      `${dataDir} is in use by ${pid === null ? 'another Tenure process' : `Tenure process ${pid}`}: ` +
        'stop it first, give this one its own DATA_DIR, or share a server with DATABASE_URL',
    );
  }
}

/** The embedded server cannot run here, or did not start; the message says why in one line. */
export class EmbeddedPostgresError extends DatabaseError {
  readonly code = 'embedded_postgres_failed';
}

/** The embedded server ended while the service was running. What was acknowledged is on disk. */
export class EmbeddedPostgresDiedError extends DatabaseError {
  readonly code = 'embedded_postgres_died';
}

/** The pooler before the database does not keep sessions; `message` says what to do. */
export class TransactionPoolerError extends DatabaseError {
  readonly code = 'transaction_pooler';
  constructor(options?: ErrorOptions) {
    super(
      'DATABASE_URL goes through a pooler in transaction or statement mode, where settings, locks and LISTEN do not last: ' +
        'give Tenure a pool in session mode (PgBouncer: pool_mode = session), or the server itself',
      options,
    );
  }
}

/** There is no database where one is to be read. */
export class NoDatabaseError extends DatabaseError {
  readonly code = 'no_database';
  constructor(dataDir: string) {
    super(
      `there is no database under ${dataDir}: DATA_DIR and DATABASE_URL say where the service has its own`,
    );
  }
}

/** The tables of a database are not those of this release, and whoever only reads changes none. */
export class NotMigratedError extends DatabaseError {
  readonly code = 'not_migrated';
  constructor(pending: number) {
    super(
      `the database lacks ${pending} migrations of this release: the service makes them when it starts, and so does a command that writes`,
    );
  }
}
