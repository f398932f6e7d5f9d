import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where outgoing webhooks go; the secrets are sealed by the admin key. Outside generations. */
class CreateWebhookEndpoints1764701000000 implements MigrationInterface {
  readonly name = 'CreateWebhookEndpoints1764701000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.webhook_endpoint (
        id text collate "C" primary key,
        url text not null,
        description text not null,
        types text[],
        bulk text[] not null,
        state text not null check (state in ('active', 'paused')),
        secret text not null,
        secret_before text,
        rotated_until timestamptz(3),
        created_at timestamptz(3) not null,
        created_by text not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.webhook_endpoint');
  }
}

/** Migrations of outgoing webhooks, oldest first. */
export const outgoingWebhookMigrations = [CreateWebhookEndpoints1764701000000];
