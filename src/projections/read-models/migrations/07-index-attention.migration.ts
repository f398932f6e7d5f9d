import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Users whose snapshot holds something that somebody should look at are found without reading everyone's. */
export class IndexAttention1763981000000 implements MigrationInterface {
  readonly name = 'IndexAttention1763981000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, condition] of Object.entries(ATTENTION)) {
      await runner.query(
        `create index user_role_${name}_idx on tenure.user_role (generation, user_id) where ${condition}`,
      );
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(ATTENTION)) await runner.query(`drop index tenure.user_role_${name}_idx`);
  }
}

/**
 * Conditions on the snapshot's text, which is not parsed: its keys are written in one order and no string of JSON holds a
 * quote that is not escaped.
 */
const ATTENTION = {
  unmapped: `strpos(snapshot, '"unmappedPrices":[]') = 0`,
  pending: `strpos(snapshot, '"pendingPayment":null') = 0`,
};
