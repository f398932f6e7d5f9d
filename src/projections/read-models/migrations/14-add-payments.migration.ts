import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PAYMENT_TABLES, partitionsOfNewTables } from '../partitions.js';

/**
 * Payments with what was told of them, and what they are joined to: other ids of the same payment, invoices, sessions, and
 * the subscriptions of these invoices (DESIGN 9). Generations of before have none until a rebuild.
 */
export class AddPayments1764001000000 implements MigrationInterface {
  readonly name = 'AddPayments1764001000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(partitionsOfNewTables(PAYMENT_TABLES));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of PAYMENT_TABLES) await runner.query(`drop table tenure.${table}`);
  }
}

const UP = [
  `create table tenure.payment (
     generation int not null,
     payment text collate "C" not null,
     joined boolean not null,
     warned boolean not null,
     facts text not null,
     primary key (generation, payment)
   ) partition by list (generation)`,
  'create index payment_unjoined_idx on tenure.payment (generation, payment) where not joined',
  'create index payment_warned_idx on tenure.payment (generation, payment) where warned',
  `create table tenure.payment_join (
     generation int not null,
     kind text collate "C" not null,
     id text collate "C" not null,
     other_kind text collate "C" not null,
     other text collate "C" not null,
     primary key (generation, kind, id, other_kind, other)
   ) partition by list (generation)`,
];
