import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A user's row lists the prices in no plan that count as a plan's own. Rows of before list none until their user is judged
 * again, or until a rebuild.
 */
export class KeepAdoptedPrices1763999000000 implements MigrationInterface {
  readonly name = 'KeepAdoptedPrices1763999000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table tenure.user_role add adopted_prices text not null default '[]'`);
    await runner.query(
      `create index user_role_adopted_idx on tenure.user_role (generation, user_id) where adopted_prices <> '[]'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.user_role drop adopted_prices');
  }
}
