import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users of a role, plan or status are found in the order of their ids. */
export class IndexUserList1763970000000 implements MigrationInterface {
  readonly name = 'IndexUserList1763970000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const column of ['role', 'plan', 'status']) {
      await runner.query(`create index on tenure.user_role (generation, ${column}, user_id)`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of ['role', 'plan', 'status']) {
      await runner.query(`drop index tenure.user_role_generation_${column}_user_id_idx`);
    }
  }
}
