import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What Stripe said of the prices that the catalogue names; outside generations, asked again whenever it is lost. */
class CreateSoldPrice1764800000000 implements MigrationInterface {
  readonly name = 'CreateSoldPrice1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create schema if not exists tenure');
    await runner.query(`
      create table tenure.sold_price (
        name text collate "C" primary key,
        price text,
        read_at timestamptz(3) not null
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenure.sold_price');
  }
}

/** Migrations of kept prices, oldest first. */
export const priceMigrations = [CreateSoldPrice1764800000000];
