import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BY_HAND_TABLES, partitionsOfNewTables } from '../partitions.js';

/** What people give or set by hand: grants, and overrides of single keys (DESIGN 9). Old logs have none. */
export class AddGrants1764002000000 implements MigrationInterface {
  readonly name = 'AddGrants1764002000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(partitionsOfNewTables(BY_HAND_TABLES));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of BY_HAND_TABLES) await runner.query(`drop table tenure.${table}`);
  }
}

const UP = [
  `create table tenure.grant (
     generation int not null,
     grant_id text collate "C" not null,
     user_id text collate "C" not null,
     names text not null,
     ends_at timestamptz(3),
     revoked boolean not null,
     facts text not null,
     primary key (generation, grant_id)
   ) partition by list (generation)`,
  'create index grant_user_idx on tenure.grant (generation, user_id)',
  `create table tenure.override (
     generation int not null,
     user_id text collate "C" not null,
     kind text collate "C" not null,
     key text collate "C" not null,
     ends_at timestamptz(3),
     removed boolean not null,
     facts text not null,
     primary key (generation, user_id, kind, key)
   ) partition by list (generation)`,
];
