import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Imports, whoever runs them, and what they read of Stripe and have not recorded yet; outside generations. */
class CreateImportJobs1764500000000 implements MigrationInterface {
  readonly name = 'CreateImportJobs1764500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.import_job (
        id uuid primary key,
        afterwards text not null check (afterwards in ('record', 'report')),
        phase text not null check (phase in ('reading', 'recording', 'done', 'failed')),
        actor text not null,
        started_at timestamptz(3) not null default now(),
        finished_at timestamptz(3),
        recording_since timestamptz(3),
        cursor text collate "C",
        subscriptions int not null default 0,
        read int not null default 0,
        recorded int not null default 0,
        unchanged int not null default 0,
        report text,
        failure text
      )`);
    // One at a time, whoever begins it.
    await runner.query(
      'create unique index import_job_unfinished on tenure.import_job ((finished_at is null)) where finished_at is null',
    );
    await runner.query(`
      create table tenure.import_item (
        job uuid not null references tenure.import_job (id),
        nth bigint generated always as identity,
        body text not null,
        primary key (job, nth)
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.import_item');
    await runner.query('drop table tenure.import_job');
  }
}

/** What an import read and cannot record: how many objects, and the first of them. */
class KeepUnusableObjects1764700000100 implements MigrationInterface {
  readonly name = 'KeepUnusableObjects1764700000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.import_job
        add column unusable int not null default 0,
        add column first_unusable jsonb not null default '[]'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.import_job drop column unusable, drop column first_unusable');
  }
}

/** Purchases are a list of their own, read after the one of subscriptions. */
class ReadPurchases1764801000000 implements MigrationInterface {
  readonly name = 'ReadPurchases1764801000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.import_job
        add column list text not null default 'subscriptions' check (list in ('subscriptions', 'purchases')),
        add column purchases int not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.import_job drop column list, drop column purchases');
  }
}

/** Disputes and refunds are lists of their own, read after purchases. */
class ReadDisputesAndRefunds1764803000100 implements MigrationInterface {
  readonly name = 'ReadDisputesAndRefunds1764803000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.import_job
        drop constraint import_job_list_check,
        add constraint import_job_list_check
          check (list in ('subscriptions', 'purchases', 'disputes', 'refunds')),
        add column disputes int not null default 0,
        add column refunds int not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.import_job
        drop constraint import_job_list_check,
        add constraint import_job_list_check check (list in ('subscriptions', 'purchases')),
        drop column disputes,
        drop column refunds`);
  }
}

/** Early fraud warnings are a list of their own, read last. */
class ReadFraudWarnings1764804000100 implements MigrationInterface {
  readonly name = 'ReadFraudWarnings1764804000100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.import_job
        drop constraint import_job_list_check,
        add constraint import_job_list_check
          check (list in ('subscriptions', 'purchases', 'disputes', 'refunds', 'warnings')),
        add column warnings int not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.import_job
        drop constraint import_job_list_check,
        add constraint import_job_list_check
          check (list in ('subscriptions', 'purchases', 'disputes', 'refunds')),
        drop column warnings`);
  }
}

/** Migrations of imports, oldest first. */
export const importMigrations = [
  CreateImportJobs1764500000000,
  KeepUnusableObjects1764700000100,
  ReadPurchases1764801000000,
  ReadDisputesAndRefunds1764803000100,
  ReadFraudWarnings1764804000100,
];
