import type { MigrationInterface, QueryRunner } from 'typeorm';
import { partitionsOfNewTables, USAGE_TABLES } from '../partitions.js';

/** How much of limited things users have in use (DESIGN 9). Old logs have no report. */
export class AddUsage1764008000000 implements MigrationInterface {
  readonly name = 'AddUsage1764008000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.usage (
        generation int not null,
        user_id text collate "C" not null,
        key text collate "C" not null,
        value bigint not null,
        primary key (generation, user_id, key)
      ) partition by list (generation)`);
    await runner.query(partitionsOfNewTables(USAGE_TABLES));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.usage');
  }
}
