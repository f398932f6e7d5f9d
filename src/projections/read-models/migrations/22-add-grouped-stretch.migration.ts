import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far a fold came that takes a stretch of the log user by user; null of one that is where `handled` says. */
export class AddGroupedStretch1764011000000 implements MigrationInterface {
  readonly name = 'AddGroupedStretch1764011000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.projection_checkpoint add stretch text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.projection_checkpoint drop stretch');
  }
}
