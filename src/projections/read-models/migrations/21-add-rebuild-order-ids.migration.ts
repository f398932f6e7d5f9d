import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The id that an order was asked for under, so that a repeat finds it; null of those that have none. */
export class AddRebuildOrderIds1764010000000 implements MigrationInterface {
  readonly name = 'AddRebuildOrderIds1764010000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.rebuild_order add id uuid');
    await runner.query('create unique index rebuild_order_id_idx on tenure.rebuild_order (id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.rebuild_order drop id');
  }
}
