import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A checkpoint lists the users whom the last commits changed, so that who follows drops them from memory and nobody else. */
export class TellRecentChanges1763997000000 implements MigrationInterface {
  readonly name = 'TellRecentChanges1763997000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.projection_checkpoint add recent_changes text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.projection_checkpoint drop recent_changes');
  }
}
