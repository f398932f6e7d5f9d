import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * User ids and their pseudonyms (DESIGN 4, "Pseudonyms"), outside the log. A pseudonym whose id was erased keeps its row,
 * without the id. `erased_user` holds keyed hashes of ids; Stripe objects created before `claims_from` (Unix seconds) claim
 * nothing for a user who came back. `erasures` counts what changed pairs: whoever has pairs in memory sees by it that one was
 * dropped.
 */
class CreatePseudonyms1765100000000 implements MigrationInterface {
  readonly name = 'CreatePseudonyms1765100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.pseudonym (
        pseudonym text collate "C" primary key,
        user_id text collate "C" unique,
        since timestamptz(3) not null,
        claims_from bigint not null default 0
      )`);
    // What the planner would keep of the column outlives the rows.
    await runner.query('alter table tenure.pseudonym alter column user_id set statistics 0');
    await runner.query(`
      create table tenure.pseudonym_key (
        id text collate "C" primary key,
        secret text not null,
        created_at timestamptz(3) not null,
        erasures bigint not null default 0
      )`);
    await runner.query(`
      create table tenure.erased_user (
        hash text collate "C" primary key,
        erased_at timestamptz(3) not null,
        readmitted_at timestamptz(3)
      )`);
    await runner.query(`
      create table tenure.erased_claim (
        object text collate "C" primary key,
        times bigint not null,
        first_at timestamptz(3) not null,
        last_at timestamptz(3) not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'drop table tenure.erased_claim, tenure.erased_user, tenure.pseudonym_key, tenure.pseudonym',
    );
  }
}

/** Migrations of pseudonyms, oldest first. */
export const pseudonymMigrations = [CreatePseudonyms1765100000000];
