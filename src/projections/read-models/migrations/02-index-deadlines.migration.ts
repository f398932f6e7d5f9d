import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The changes by time that are due are found in the order in which they fell due. */
export class IndexDeadlines1763900000300 implements MigrationInterface {
  readonly name = 'IndexDeadlines1763900000300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create index on tenure.user_role (generation, next_at, user_id) where next_at is not null',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index tenure.user_role_generation_next_at_user_id_idx');
  }
}
