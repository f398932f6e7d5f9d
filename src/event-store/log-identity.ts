import type { Pool } from 'pg';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { z } from 'zod';
import { parseStreamName } from '../events/stream-names.js';
import { NamedError } from '../observability/named-error.js';
import type { LogSettings } from './open-event-store.js';

/** The read models of this database were made from another log: positions of one say nothing in another. */
export class OtherLogError extends NamedError {
  readonly code = 'other_log';
}

/** A log is being brought back from a backup, and holds but its beginning: nobody may read it or append to it. */
export class UnfinishedRestoreError extends NamedError {
  readonly code = 'restore_unfinished';
  constructor() {
    super('a restore has not ended here: run `tenure restore` with the same file again, and it goes on');
  }
}

/** The table that is there from the beginning of a restore to its end. */
export const RESTORE_UNDER_WAY = 'tenure.restore_under_way';

/** Which log the read models of a database were made from, in one row that is written once. */
export class CreateLogIdentity1763800000200 implements MigrationInterface {
  readonly name = 'CreateLogIdentity1763800000200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.log_identity (
        single boolean primary key default true check (single),
        log text not null
      )`);
    // A database from before there was a choice of logs holds its own.
    const [found] = await runner.query(`select to_regclass('tenure_log.event') is not null as "hasLog"`);
    if (found?.hasLog !== true) return;
    await runner.query(`
      insert into tenure.log_identity (log)
      select '${POSTGRESQL_LOG}' where exists (select from tenure_log.event)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.log_identity');
  }
}

/** The name of the log in the database itself. */
export const POSTGRESQL_LOG = 'postgresql';

/** The name of a log in EventStoreDB: the prefix says which streams of it are ours. */
export function eventStoreDbLog(streamPrefix: string): string {
  return `eventstoredb ${streamPrefix}`;
}

/** The log that the settings name. */
export function logOf({ eventStoreUrl, streamPrefix }: LogSettings): string {
  return eventStoreUrl === null ? POSTGRESQL_LOG : eventStoreDbLog(streamPrefix);
}

/**
 * Claims the database for the log of the settings, or finds that it is claimed.
 * @throws OtherLogError when its read models were made from another log, UnfinishedRestoreError
 */
export async function claimForLog(pool: Pool, settings: LogSettings): Promise<void> {
  await claimForRestore(pool, settings);
  await refuseUnfinishedRestore(pool);
}

/** As `claimForLog`, for a restore that begins or goes on. @throws OtherLogError */
export async function claimForRestore(pool: Pool, settings: LogSettings): Promise<void> {
  await pool.query('insert into tenure.log_identity (log) values ($1) on conflict do nothing', [
    logOf(settings),
  ]);
  await refuseOtherLog(pool, settings);
}

/**
 * Finds whether the database is claimed for the log of the settings, or for none yet; changes nothing.
 * @throws OtherLogError when its read models were made from another log, UnfinishedRestoreError
 */
export async function expectLog(pool: Pool, settings: LogSettings): Promise<void> {
  await refuseOtherLog(pool, settings);
  await refuseUnfinishedRestore(pool);
}

async function refuseOtherLog(pool: Pool, settings: LogSettings): Promise<void> {
  const log = logOf(settings);
  const { rows } = await pool.query('select log from tenure.log_identity');
  const claimed = z.object({ log: z.string() }).optional().parse(rows[0])?.log ?? log;
  if (claimed === log) return refuseOtherPrefix(pool, settings);
  throw new OtherLogError(
    `the database was made from the log "${claimed}", EVENTSTORE_URL and STREAM_PREFIX say "${log}": ` +
      'give this log a database of its own',
  );
}

/** Of a log in PostgreSQL the first event tells the prefix: with another one, what was recorded twice would count twice. */
async function refuseOtherPrefix(pool: Pool, { eventStoreUrl, streamPrefix }: LogSettings): Promise<void> {
  if (eventStoreUrl !== null) return;
  const { rows } = await pool.query('select stream from tenure_log.event order by position limit 1');
  const first = z.object({ stream: z.string() }).optional().parse(rows[0])?.stream;
  if (first === undefined || parseStreamName(streamPrefix, first) !== null) return;
  throw new OtherLogError(
    `the log in the database begins with the stream "${first}", STREAM_PREFIX says "${streamPrefix}": ` +
      'set it as it was, or give this log a database of its own',
  );
}

/** @throws UnfinishedRestoreError when a restore of this database has not ended */
export async function refuseUnfinishedRestore(pool: Pool): Promise<void> {
  const { rows } = await pool.query('select to_regclass($1) is not null as "isUnderWay"', [
    RESTORE_UNDER_WAY,
  ]);
  if (rows[0]?.isUnderWay === true) throw new UnfinishedRestoreError();
}
