import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Publications of a catalogue take turns with other events: a user's row says by which catalogue it was judged last, and
 * the checkpoint which publications are under way and how far. What an earlier release left in the middle of one is
 * begun again.
 */
export class TakeTurnsWithPublications1763996000000 implements MigrationInterface {
  readonly name = 'TakeTurnsWithPublications1763996000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.user_role drop catalog');
  }
}

const UP = [
  'alter table tenure.user_role add catalog bigint not null default 0',
  // Before, `within` was the last user judged by the event after `handled`. It is folded again: to judge twice changes nothing.
  `delete from tenure.plan_catalog p using tenure.projection_checkpoint c
   where c.within is not null and p.generation = c.generation and p.position > coalesce(c.handled, 0)`,
  `update tenure.projection_checkpoint set within = null, revision = revision + 1 where within is not null`,
  `update tenure.user_role u set catalog = p.position
   from (select generation, max(position) as position from tenure.plan_catalog group by generation) p
   where p.generation = u.generation`,
];
