import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A checkout session that sold something once says whose it is, and which claims say otherwise (DESIGN 8). Generations of
 * before know of no purchase until a rebuild.
 */
export class AddPurchases1764006000000 implements MigrationInterface {
  readonly name = 'AddPurchases1764006000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.checkout drop owner, drop conflicts, drop purchase');
  }
}

const UP = [
  `alter table tenure.checkout add owner text collate "C", add conflicts text,
     add purchase boolean not null default false`,
  'create index checkout_owner_idx on tenure.checkout (generation, owner)',
  `create index checkout_unowned_idx on tenure.checkout (generation, session)
     where purchase and owner is null`,
  `create index checkout_conflicts_idx on tenure.checkout (generation, session) where conflicts is not null`,
];
