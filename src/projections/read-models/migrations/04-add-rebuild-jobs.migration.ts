import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The job of a build, run once it has caught up by whichever instance folds it, and what came of it. */
export class AddRebuildOrders1763960000000 implements MigrationInterface {
  readonly name = 'AddRebuildOrders1763960000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create table tenure.rebuild_order (
         generation int primary key,
         afterwards text not null check (afterwards in ('swap', 'keep', 'drop')),
         outcome text check (outcome in ('swapped', 'kept', 'dropped', 'failed')),
         finished_at timestamptz(3),
         report text,
         failure_code text,
         failure_message text
       )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.rebuild_order');
  }
}
