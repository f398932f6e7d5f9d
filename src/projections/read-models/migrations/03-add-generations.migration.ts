import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Generations next to the live one (DESIGN 9, 12): who asked for each, which code folded it, and what every move of the
 * pointer changed. Generation numbers are never used twice, so that whoever remembers one cannot mistake it.
 */
export class AddGenerations1763950000000 implements MigrationInterface {
  readonly name = 'AddGenerations1763950000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['swap_history', 'swap_user', 'generation_swap', 'projection_generation']) {
      await runner.query(`drop table tenure.${table}`);
    }
    await runner.query(
      'alter table tenure.projection_checkpoint drop built_by, drop mixed_after, drop events',
    );
    await runner.query('alter table tenure.live_generation drop swaps');
  }
}

const UP = [
  // Counts the moves of the pointer: of two looks at it, the one with the greater count is the later.
  'alter table tenure.live_generation add swaps int not null default 0',
  // `mixed_after`: the last event before the first one that was folded by other code than `built_by`.
  `alter table tenure.projection_checkpoint
     add built_by text not null default '',
     add mixed_after bigint,
     add events bigint not null default 0`,
  'update tenure.projection_checkpoint set built_by = code_version',
  `alter table tenure.projection_checkpoint alter built_by drop default`,
  `create table tenure.projection_generation (
     generation int primary key,
     state text not null check (state in ('building', 'served', 'scratch', 'dropping', 'dropped')),
     started_by text not null,
     reason text not null,
     started_at timestamptz(3) not null
   )`,
  // One rebuild at a time.
  `create unique index projection_generation_building_idx on tenure.projection_generation (state)
     where state = 'building'`,
  `insert into tenure.projection_generation (generation, state, started_by, reason, started_at)
     select generation, 'served', 'service', 'the first generation', now() from tenure.live_generation`,
  `create table tenure.generation_swap (
     swap int primary key,
     kind text not null check (kind in ('swap', 'rollback')),
     from_generation int not null,
     to_generation int not null,
     position bigint,
     from_code text not null,
     to_code text not null,
     users_changed int not null,
     actor text not null,
     reason text not null,
     swapped_at timestamptz(3) not null
   )`,
  `create table tenure.swap_user (
     swap int not null,
     user_id text collate "C" not null,
     offset_before int not null,
     offset_after int not null,
     changed boolean not null,
     primary key (swap, user_id)
   )`,
  `create table tenure.swap_history (
     swap int not null,
     user_id text collate "C" not null,
     seq int not null,
     valid_from timestamptz(3) not null,
     cause text not null,
     event_id uuid,
     event_type text,
     position bigint,
     changed_at timestamptz(3) not null,
     counter int not null,
     snapshot text not null,
     primary key (swap, user_id, seq)
   )`,
];
