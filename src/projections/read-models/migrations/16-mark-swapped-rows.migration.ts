import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Rows of what was served that a swap, an adoption or a restore wrote, and no event: whoever reacts to changes passes them by.
 * Reactions read the rows in the order in which they were written.
 */
export class MarkSwappedRows1764003000000 implements MigrationInterface {
  readonly name = 'MarkSwappedRows1764003000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.served_entitlement add by_swap boolean not null default false');
    await runner.query('create index served_entitlement_ordinal_idx on tenure.served_entitlement (ordinal)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index tenure.served_entitlement_ordinal_idx');
    await runner.query('alter table tenure.served_entitlement drop column by_swap');
  }
}
