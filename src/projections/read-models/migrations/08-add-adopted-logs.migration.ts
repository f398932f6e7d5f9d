import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A checkpoint keeps the id of its event (DESIGN 12, "A log that is not the one we know"), so that a log which was lost,
 * restored older or exchanged is known for that. Checkpoints from before fill it with their next move. A generation that
 * was made from a log before an adoption is `replaced`: kept for its history, never folded or read again.
 */
export class AddAdoptedLogs1763995000000 implements MigrationInterface {
  readonly name = 'AddAdoptedLogs1763995000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenure.projection_checkpoint add event_id uuid');
    await checkStates(runner, ['building', 'served', 'scratch', 'dropping', 'dropped', 'replaced']);
    await checkKinds(runner, ['swap', 'rollback', 'adoption']);
  }

  async down(runner: QueryRunner): Promise<void> {
    await checkKinds(runner, ['swap', 'rollback']);
    await checkStates(runner, ['building', 'served', 'scratch', 'dropping', 'dropped']);
    await runner.query('alter table tenure.projection_checkpoint drop event_id');
  }
}

async function checkStates(runner: QueryRunner, states: readonly string[]): Promise<void> {
  await runner.query(`alter table tenure.projection_generation
    drop constraint projection_generation_state_check,
    add constraint projection_generation_state_check check (state in (${listOf(states)}))`);
}

async function checkKinds(runner: QueryRunner, kinds: readonly string[]): Promise<void> {
  await runner.query(`alter table tenure.generation_swap
    drop constraint generation_swap_kind_check,
    add constraint generation_swap_kind_check check (kind in (${listOf(kinds)}))`);
}

function listOf(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(', ');
}
