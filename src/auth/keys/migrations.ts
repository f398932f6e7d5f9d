import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The keys of the API, outside generations: no replay makes or changes them. */
class CreateApiKeys1763900000400 implements MigrationInterface {
  readonly name = 'CreateApiKeys1763900000400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.api_key (
        id text collate "C" primary key,
        hash text collate "C" not null unique,
        name text not null,
        scopes text[] not null,
        created_at timestamptz(3) not null,
        last_used_at timestamptz(3),
        revoked_at timestamptz(3)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.api_key');
  }
}

/** Migrations of the keys, oldest first. */
export const keyMigrations = [CreateApiKeys1763900000400];
