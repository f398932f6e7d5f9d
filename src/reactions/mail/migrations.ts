import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Invoices of which a failed payment was written about: one mail each. Outside generations. */
class CreateMailedInvoices1764702000000 implements MigrationInterface {
  readonly name = 'CreateMailedInvoices1764702000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table tenure.mailed_invoice (invoice text collate "C" primary key)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.mailed_invoice');
  }
}

/** Migrations of e-mails, oldest first. */
export const mailMigrations = [CreateMailedInvoices1764702000000];
