import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createPartitions } from '../partitions.js';

/**
 * The read models of the `entitlements` projection and the bookkeeping of the engine, in schema `tenure`. Every table that
 * a replay rebuilds has `generation` first in its key and one partition a generation. Facts and snapshots are `text`:
 * `jsonb` refuses U+0000 and rewrites numbers.
 */
export class CreateReadModels1763700000100 implements MigrationInterface {
  readonly name = 'CreateReadModels1763700000100';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...BOOKKEEPING, ...READ_MODELS, ...createPartitions(1)]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'user_role',
      'revocation_version',
      'entitlement_history',
      'subscription_fact',
      'subscription',
      'customer',
      'checkout',
      'plan_catalog',
      'revocation_feed',
      'revocation_feed_head',
      'revocation_offset',
      'projection_checkpoint',
      'live_generation',
    ]) {
      await runner.query(`drop table tenure.${table}`);
    }
  }
}

/** Outside generations: pointers, checkpoints, and what must never go back. */
const BOOKKEEPING = [
  'create schema if not exists tenure',
  `create table tenure.live_generation (
     id smallint primary key default 1 check (id = 1),
     generation int not null
   )`,
  'insert into tenure.live_generation (generation) values (1)',
  `create table tenure.projection_checkpoint (
     projection text collate "C" not null,
     generation int not null,
     handled bigint,
     scanned bigint,
     within text collate "C",
     now_ms bigint not null default 0,
     revision bigint not null default 0,
     code_version text not null,
     fault text,
     primary key (projection, generation)
   )`,
  `create table tenure.revocation_offset (
     user_id text collate "C" primary key,
     version_offset int not null
   )`,
  `create table tenure.revocation_feed (
     cursor bigint primary key,
     user_id text collate "C" not null,
     version int not null,
     raised_at timestamptz(3) not null
   )`,
  `create table tenure.revocation_feed_head (
     id smallint primary key default 1 check (id = 1),
     cursor bigint not null
   )`,
  'insert into tenure.revocation_feed_head (cursor) values (0)',
];

const READ_MODELS = [
  `create table tenure.user_role (
     generation int not null,
     user_id text collate "C" not null,
     role text not null,
     plan text not null,
     status text not null,
     snapshot text not null,
     successors text not null,
     next_at timestamptz(3),
     counter int not null,
     position bigint,
     changed_at timestamptz(3),
     history_seq int not null,
     primary key (generation, user_id)
   ) partition by list (generation)`,
  `create table tenure.revocation_version (
     generation int not null,
     user_id text collate "C" not null,
     counter int not null,
     raised_at timestamptz(3) not null,
     primary key (generation, user_id)
   ) partition by list (generation)`,
  `create table tenure.entitlement_history (
     generation int not null,
     user_id text collate "C" not null,
     seq int not null,
     valid_from timestamptz(3) not null,
     cause text not null check (cause in ('event', 'time')),
     event_id uuid,
     event_type text,
     position bigint,
     changed_at timestamptz(3) not null,
     counter int not null,
     snapshot text not null,
     primary key (generation, user_id, seq)
   ) partition by list (generation)`,
  `create table tenure.subscription (
     generation int not null,
     subscription text collate "C" not null,
     customer text collate "C",
     owner text collate "C",
     conflicts text,
     primary key (generation, subscription)
   ) partition by list (generation)`,
  'create index on tenure.subscription (generation, customer)',
  'create index on tenure.subscription (generation, owner)',
  'create index on tenure.subscription (generation, subscription) where owner is null',
  'create index on tenure.subscription (generation, subscription) where conflicts is not null',
  `create table tenure.subscription_fact (
     generation int not null,
     subscription text collate "C" not null,
     fact_id text collate "C" not null,
     kind text not null check (kind in ('observation', 'invoice', 'link')),
     body text not null,
     primary key (generation, subscription, fact_id)
   ) partition by list (generation)`,
  `create table tenure.customer (
     generation int not null,
     customer text collate "C" not null,
     owner text collate "C",
     conflicts text,
     facts text not null,
     primary key (generation, customer)
   ) partition by list (generation)`,
  'create index on tenure.customer (generation, customer) where owner is null',
  'create index on tenure.customer (generation, customer) where conflicts is not null',
  `create table tenure.checkout (
     generation int not null,
     session text collate "C" not null,
     customer text collate "C",
     subscription text collate "C",
     facts text not null,
     primary key (generation, session)
   ) partition by list (generation)`,
  'create index on tenure.checkout (generation, customer)',
  'create index on tenure.checkout (generation, subscription)',
  `create table tenure.plan_catalog (
     generation int not null,
     position bigint not null,
     hash text not null,
     catalog text not null,
     default_snapshot text not null,
     published_at timestamptz(3) not null,
     primary key (generation, position)
   ) partition by list (generation)`,
];
