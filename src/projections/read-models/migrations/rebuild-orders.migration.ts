import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is to be done with a build once it is level, and what came of it: whichever instance folds it carries it out. */
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
