import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The log in a schema of its own. `event` is the log; `stream_head` the last revision of each stream and the one before
 * the append that made it; `log_head` the one row that every append locks, from taking positions to its commit.
 * The database itself refuses to change or remove an event, for the owner and for replication roles too.
 */
export class CreateEventLog1763683200000 implements MigrationInterface {
  readonly name = 'CreateEventLog1763683200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE SCHEMA tenure_log`);
    await runner.query(`
      CREATE TABLE tenure_log.event (
        position bigint PRIMARY KEY,
        stream   text COLLATE "C" NOT NULL,
        revision bigint NOT NULL,
        id       uuid NOT NULL,
        type     text NOT NULL,
        data     text NOT NULL,
        metadata text NOT NULL,
        UNIQUE (stream, revision)
      )`);
    await runner.query(`
      CREATE TABLE tenure_log.stream_head (
        stream   text COLLATE "C" PRIMARY KEY,
        previous bigint NOT NULL,
        revision bigint NOT NULL,
        CHECK (previous >= -1 AND revision > previous)
      ) WITH (fillfactor = 80)`);
    await runner.query(`
      CREATE TABLE tenure_log.log_head (
        single boolean PRIMARY KEY DEFAULT true CHECK (single)
      )`);
    await runner.query(`INSERT INTO tenure_log.log_head DEFAULT VALUES`);
    // The row is locked, never updated: while a long transaction keeps old row versions alive, a counter here would grow
    // by one for each append and slow them all down. VOLATILE: the second query sees what the lock waited for.
    await runner.query(`
      CREATE FUNCTION tenure_log.lock_last_position() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        PERFORM FROM tenure_log.log_head FOR UPDATE;
        RETURN coalesce((SELECT max(position) FROM tenure_log.event), 0);
      END $$`);
    await runner.query(`
      CREATE FUNCTION tenure_log.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        RAISE EXCEPTION '% of %.% is refused: the log is append-only', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
          USING ERRCODE = 'restrict_violation';
      END $$`);
    await refuse(runner, 'event', 'UPDATE OR DELETE OR TRUNCATE');
    await refuse(runner, 'stream_head', 'DELETE OR TRUNCATE');
    await refuse(runner, 'log_head', 'UPDATE OR DELETE OR TRUNCATE');
  }

  /** @throws always: undoing this would delete the log. */
  down(): Promise<void> {
    return Promise.reject(new Error('the event log is never dropped by a migration'));
  }
}

async function refuse(runner: QueryRunner, table: string, changes: string): Promise<void> {
  await runner.query(`
    CREATE TRIGGER refuse_change BEFORE ${changes} ON tenure_log.${table}
    FOR EACH STATEMENT EXECUTE FUNCTION tenure_log.refuse()`);
  await runner.query(`ALTER TABLE tenure_log.${table} ENABLE ALWAYS TRIGGER refuse_change`);
}

/** Migrations of the event log, oldest first, for a TypeORM data source. */
export const eventStoreMigrations = [CreateEventLog1763683200000];
