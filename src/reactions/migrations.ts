import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each reaction came, and the work that follows; outside generations, so that no rebuild runs any of it again. */
class CreateReactions1764700000000 implements MigrationInterface {
  readonly name = 'CreateReactions1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.reaction_checkpoint (
        reaction text collate "C" primary key,
        position bigint,
        ordinal bigint not null,
        revision bigint not null default 0,
        began_at timestamptz(3) not null default now(),
        moved_at timestamptz(3) not null default now()
      )`);
    // Only the first of a lane has a time at which it is due; the others wait for it.
    await runner.query(`
      create table tenure.reaction_work (
        id uuid primary key,
        seq bigserial not null unique,
        reaction text collate "C" not null,
        lane text collate "C" not null,
        "group" text collate "C" not null,
        payload text not null,
        state text not null default 'waiting' check (state in ('waiting', 'dead')),
        due_at timestamptz(3),
        attempts int not null default 0,
        failure text,
        replayed boolean not null default false,
        gap_told boolean not null default false,
        created_at timestamptz(3) not null default now(),
        dead_at timestamptz(3)
      )`);
    await runner.query(`
      create index reaction_work_due_idx on tenure.reaction_work (reaction, due_at) where due_at is not null`);
    await runner.query(`
      create index reaction_work_lane_idx on tenure.reaction_work (reaction, lane, seq) where state = 'waiting'`);
    await runner.query(`
      create index reaction_work_dead_idx on tenure.reaction_work (reaction, lane, seq) where state = 'dead'`);
    await runner.query('create index reaction_work_group_idx on tenure.reaction_work (reaction, "group")');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.reaction_work');
    await runner.query('drop table tenure.reaction_checkpoint');
  }
}

/** What is due is found by its group, however much waits of others. The two that went before have no reader any more. */
class IndexDueWorkByGroup1765200000000 implements MigrationInterface {
  readonly name = 'IndexDueWorkByGroup1765200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index reaction_work_group_due_idx on tenure.reaction_work (reaction, "group", due_at, seq)
      where due_at is not null`);
    await runner.query('drop index tenure.reaction_work_due_idx');
    await runner.query('drop index tenure.reaction_work_group_idx');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index reaction_work_due_idx on tenure.reaction_work (reaction, due_at) where due_at is not null`);
    await runner.query('create index reaction_work_group_idx on tenure.reaction_work (reaction, "group")');
    await runner.query('drop index tenure.reaction_work_group_due_idx');
  }
}

/** Migrations of the reactions, oldest first. */
export const reactionMigrations = [CreateReactions1764700000000, IndexDueWorkByGroup1765200000000];
