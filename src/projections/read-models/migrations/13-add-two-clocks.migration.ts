import type { MigrationInterface, QueryRunner } from 'typeorm';
import { partitionsOfNewTables, TWO_CLOCK_TABLES } from '../partitions.js';

/**
 * What questions as of a moment are answered by (DESIGN 9, "Two clocks"): of every generation the streams of users, customers
 * that subscriptions were said to be of, and the fold's time; outside of generations the history of what is served.
 * Generations of before have none of the former until a rebuild. What they served is taken over from the history of the one
 * that is read: changes by time have rows of their own there.
 */
export class AddTwoClocks1764000000000 implements MigrationInterface {
  readonly name = 'AddTwoClocks1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(partitionsOfNewTables(TWO_CLOCK_TABLES));
    for (const statement of TAKE_OVER) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [...TWO_CLOCK_TABLES, 'served_entitlement', 'served_mark']) {
      await runner.query(`drop table tenure.${table}`);
    }
  }
}

const UP = [
  `create table tenure.user_stream (
     generation int not null,
     user_id text collate "C" not null,
     category text collate "C" not null,
     id text collate "C" not null,
     primary key (generation, user_id, category, id)
   ) partition by list (generation)`,
  `create table tenure.subscription_customer (
     generation int not null,
     subscription text collate "C" not null,
     customer text collate "C" not null,
     primary key (generation, subscription, customer)
   ) partition by list (generation)`,
  `create index subscription_customer_generation_customer_idx
     on tenure.subscription_customer (generation, customer)`,
  `create table tenure.logical_time (
     generation int not null,
     position bigint not null,
     now_ms bigint not null,
     primary key (generation, position)
   ) partition by list (generation)`,
  `create index logical_time_generation_now_ms_position_idx
     on tenure.logical_time (generation, now_ms, position)`,
  `create table tenure.served_entitlement (
     user_id text collate "C" not null,
     ordinal bigserial,
     known_from timestamptz(3) not null,
     snapshot text,
     successors text,
     counter int not null,
     version_offset int not null,
     position bigint,
     changed_at timestamptz(3),
     primary key (user_id, ordinal)
   )`,
  `create table tenure.served_mark (
     user_id text collate "C" not null,
     ordinal bigserial,
     known_from timestamptz(3) not null,
     position bigint,
     since timestamptz(3),
     primary key (user_id, ordinal)
   )`,
];

const LIVE = '(select generation from tenure.live_generation)';
const TAKE_OVER = [
  `insert into tenure.served_entitlement (user_id, known_from, snapshot, successors, counter, version_offset)
     select '', published_at, default_snapshot, '[]', 0, 0 from tenure.plan_catalog
     where generation = ${LIVE} order by position`,
  `insert into tenure.served_entitlement (user_id, known_from, snapshot, successors, counter, version_offset, position,
     changed_at)
     select h.user_id, h.valid_from, h.snapshot,
       case when h.seq = u.history_seq then u.successors else '[]' end, h.counter, coalesce(o.version_offset, 0),
       coalesce(h.position, max(h.position) over (partition by h.user_id order by h.seq)), h.changed_at
     from tenure.entitlement_history h
     join tenure.user_role u on u.generation = h.generation and u.user_id = h.user_id
     left join tenure.revocation_offset o on o.user_id = h.user_id
     where h.generation = ${LIVE} order by h.user_id, h.seq`,
  `insert into tenure.served_mark (user_id, known_from, position, since)
     select user_id, since, position, since from tenure.faulted_user
     where generation = ${LIVE} and position is not null`,
];
