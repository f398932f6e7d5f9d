import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The revocation feed gets an epoch, which cursors carry; the server that it holds on; up to which cursor lines were dropped;
 * and when each line was written. Lines of before count as written now.
 */
export class AddFeedEpoch1764009000000 implements MigrationInterface {
  readonly name = 'AddFeedEpoch1764009000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.revocation_feed_head
        add epoch text,
        add server text,
        add dropped bigint not null default 0;
      update tenure.revocation_feed_head set epoch = left(replace(gen_random_uuid()::text, '-', ''), 16);
      alter table tenure.revocation_feed add written_at timestamptz(3) not null default clock_timestamp()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table tenure.revocation_feed_head drop epoch, drop server, drop dropped;
      alter table tenure.revocation_feed drop written_at`);
  }
}
