import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Requests that may be repeated, and their replies. `id` is a digest of caller, method, path and key, `fingerprint` of the
 * bytes; `status` is null while the request is under way, by who holds `token`.
 */
class CreateIdempotencyKeys1764800000000 implements MigrationInterface {
  readonly name = 'CreateIdempotencyKeys1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.idempotency_key (
        id text collate "C" primary key,
        fingerprint text collate "C" not null,
        token uuid not null,
        begun_at timestamptz(3) not null,
        renewed_at timestamptz(3) not null,
        status int,
        headers jsonb,
        body text
      )`);
    await runner.query('create index idempotency_key_begun_at on tenure.idempotency_key (begun_at)');
    await runner.query(
      'create unique index idempotency_key_under_way on tenure.idempotency_key (token) where status is null',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.idempotency_key');
  }
}

/** Migrations of kept replies, oldest first. */
export const idempotencyMigrations = [CreateIdempotencyKeys1764800000000];
