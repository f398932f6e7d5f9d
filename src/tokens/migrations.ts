import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Keys that sign entitlement tokens; the private halves are sealed by the admin key. Outside generations. */
class CreateTokenKeys1764900000000 implements MigrationInterface {
  readonly name = 'CreateTokenKeys1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.token_key (
        kid text collate "C" primary key,
        algorithm text not null,
        public_key text not null,
        private_key text not null,
        created_at timestamptz(3) not null,
        signs_from timestamptz(3) not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.token_key');
  }
}

/** Migrations of entitlement tokens, oldest first. */
export const tokenMigrations = [CreateTokenKeys1764900000000];
