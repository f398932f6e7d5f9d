import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PLAN_CHANGE_TABLES, partitionsOfNewTables } from '../partitions.js';

/** What subscription schedules are to bring users (DESIGN 10, `scheduledChange`). Old logs have none. */
export class AddPlanChanges1764007000000 implements MigrationInterface {
  readonly name = 'AddPlanChanges1764007000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.plan_change (
        generation int not null,
        user_id text collate "C" not null,
        subscription text collate "C" not null,
        plan text not null,
        label text,
        at timestamptz(3) not null,
        asked_at bigint not null,
        primary key (generation, user_id)
      ) partition by list (generation)`);
    await runner.query(partitionsOfNewTables(PLAN_CHANGE_TABLES));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.plan_change');
  }
}
