import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Reconciliations, whoever runs them, and up to which of Stripe's seconds its events were looked through; outside generations. */
class CreateReconciliations1764600000000 implements MigrationInterface {
  readonly name = 'CreateReconciliations1764600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.reconciliation (
        id uuid primary key,
        afterwards text not null check (afterwards in ('record', 'report')),
        gone text not null check (gone in ('end', 'list')),
        phase text not null check (phase in ('running', 'done', 'failed')),
        actor text not null,
        started_at timestamptz(3) not null default now(),
        finished_at timestamptz(3),
        events int not null default 0,
        subscriptions int not null default 0,
        report text,
        failure text
      )`);
    // One at a time, whoever begins it.
    await runner.query(
      'create unique index reconciliation_unfinished on tenure.reconciliation ((finished_at is null)) where finished_at is null',
    );
    // The first scheduled one comes after the usual time, so that a new service is not brought everything unasked.
    await runner.query(`
      create table tenure.reconciled_until (
        id boolean primary key default true check (id),
        second bigint,
        kept_since timestamptz(3) not null default now()
      )`);
    await runner.query('insert into tenure.reconciled_until default values');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.reconciled_until');
    await runner.query('drop table tenure.reconciliation');
  }
}

/** The Stripe account that what is recorded was asked of; outside generations. */
class RememberStripeAccount1764700000000 implements MigrationInterface {
  readonly name = 'RememberStripeAccount1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenure.stripe_account (
        id boolean primary key default true check (id),
        account text not null,
        since timestamptz(3) not null default now()
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.stripe_account');
  }
}

/** Purchases are looked at beside subscriptions. */
class CountReconciledPurchases1764802000000 implements MigrationInterface {
  readonly name = 'CountReconciledPurchases1764802000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.reconciliation add column purchases int not null default 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.reconciliation drop column purchases');
  }
}

/** Disputes and refunds are looked at after purchases. */
class CountReconciledPayments1764803000000 implements MigrationInterface {
  readonly name = 'CountReconciledPayments1764803000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.reconciliation
        add column disputes int not null default 0,
        add column refunds int not null default 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.reconciliation drop column disputes, drop column refunds');
  }
}

/** Early fraud warnings are looked at last; and how far disputes, refunds and warnings were is remembered apart. */
class CountReconciledWarnings1764804000000 implements MigrationInterface {
  readonly name = 'CountReconciledWarnings1764804000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.reconciliation add column warnings int not null default 0');
    await runner.query('alter table tenure.reconciled_until add column payments_second bigint');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.reconciled_until drop column payments_second');
    await runner.query('alter table tenure.reconciliation drop column warnings');
  }
}

/** Migrations of reconciliations, oldest first. */
export const reconciliationMigrations = [
  CreateReconciliations1764600000000,
  RememberStripeAccount1764700000000,
  CountReconciledPurchases1764802000000,
  CountReconciledPayments1764803000000,
  CountReconciledWarnings1764804000000,
];
