import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When Stripe last delivered something; one row, outside generations. */
class CreateWebhookContact1764100000500 implements MigrationInterface {
  readonly name = 'CreateWebhookContact1764100000500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.webhook_contact (
        id int primary key check (id = 1),
        received_at timestamptz(3) not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.webhook_contact');
  }
}

/** Migrations of the webhooks, oldest first. */
export const webhookMigrations = [CreateWebhookContact1764100000500];
