import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Subscriptions say whether their customer was seen deleted, so that judging one loads no customer. */
export class AddCustomerDeleted1763980000000 implements MigrationInterface {
  readonly name = 'AddCustomerDeleted1763980000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table tenure.subscription add column customer_deleted boolean not null default false',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.subscription drop column customer_deleted');
  }
}
