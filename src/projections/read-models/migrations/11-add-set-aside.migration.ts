import type { MigrationInterface, QueryRunner } from 'typeorm';
import { partitionsOfNewTables, SET_ASIDE_TABLES } from '../partitions.js';

/**
 * What a fold sets aside (DESIGN 12): streams from an event on that cannot be folded, and users who are marked for it or
 * cannot be judged. `late_at`, here and in the history: the last event folded when something was folded on, late.
 */
export class AddSetAside1763998000000 implements MigrationInterface {
  readonly name = 'AddSetAside1763998000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(partitionsOfNewTables(SET_ASIDE_TABLES));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of SET_ASIDE_TABLES) await runner.query(`drop table tenure.${table}`);
    await runner.query('alter table tenure.entitlement_history drop late_at');
    await runner.query('alter table tenure.swap_history drop late_at');
    await runner.query('alter table tenure.projection_checkpoint drop set_aside');
  }
}

const UP = [
  `create table tenure.set_aside_stream (
     generation int not null,
     stream text collate "C" not null,
     position bigint not null,
     revision int not null,
     event_id uuid not null,
     event_type text not null,
     code text not null,
     message text not null,
     since timestamptz(3) not null,
     waiting int not null,
     last_position bigint not null,
     subject text not null,
     claims text not null,
     users text not null,
     tried_by text,
     late_at bigint,
     primary key (generation, stream)
   ) partition by list (generation)`,
  `create table tenure.faulted_user (
     generation int not null,
     user_id text collate "C" not null,
     position bigint,
     since timestamptz(3),
     own text,
     tried_by text,
     late_at bigint,
     primary key (generation, user_id)
   ) partition by list (generation)`,
  'alter table tenure.entitlement_history add late_at bigint',
  'alter table tenure.swap_history add late_at bigint',
  'alter table tenure.projection_checkpoint add set_aside text',
];
