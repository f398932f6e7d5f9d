import { AUTHORIZED } from '../support/service.js';
import { until } from '../support/until.js';
import { KilledRebuild, OPS } from './support/killed-rebuild.js';
import { COMMAND } from './support/two-services.js';
import { few } from './support/watched-reads.js';

/** Jest's own limit: what a case waits for has limits of its own, each with what it waited for. */
const CASE_MS = 900_000;

/**
 * Each case has a log, a database and processes of its own, and kills somebody in one phase of a rebuild. They run in the
 * soak; that the builder is killed is tried always, in `rebuild-under-load.test.ts`.
 */
describe('A rebuild', () => {
  const when = (title: string, run: (rebuild: KilledRebuild) => Promise<void>): void => {
    it(title, () => KilledRebuild.within(run), CASE_MS);
  };

  when('misses nobody when the service that stands by is killed', async (rebuild) => {
    const { two } = rebuild;
    const { build, wall } = await rebuild.beginHeld();
    const builder = await rebuild.leader('beside');
    await rebuild.isHeld(builder);
    await rebuild.without(rebuild.other(builder), async () => {
      await wall.query('rollback');
      await two.rebuilds.untilCaughtUp(build, () => undefined);
    });
    expect(await rebuild.generations()).toEqual(['1 live', `${build} building`]);
    await two.rebuilds.swap(build, OPS);
  });

  when('is kept level by the other service when the one that did so is killed', async (rebuild) => {
    const { two } = rebuild;
    const build = await rebuild.beginLevel();
    const victim = await rebuild.leader('beside');
    await rebuild.without(victim, async () => {
      await rebuild.tell(rebuild.other(victim));
      await two.rebuilds.untilCaughtUp(build, () => undefined);
    });
    await two.rebuilds.swap(build, OPS);
  });

  const heldAt = [
    ['is about to move the pointer', 'generation_swap'],
    ['compares', 'revocation_feed_head'],
    ['keeps the history of what it replaces', 'swap_history'],
  ] as const;
  it.each(heldAt)(
    'of which the command that swaps is killed while it %s shows nothing of the swap, and can be swapped again',
    (_, table) =>
      KilledRebuild.within(async (rebuild) => {
        const { two } = rebuild;
        const build = await rebuild.beginLevel();
        const wall = await rebuild.wall(`lock table tenure.${table} in exclusive mode`);
        const command = two.tenure('projections', 'swap', String(build), '--reason', 'a later policy');
        await rebuild.isHeld(COMMAND);
        await command.kill('SIGKILL');
        await wall.query('rollback');
        await rebuild.tell(...two.urls);
        expect(few(rebuild.reads.failed)).toEqual([]);
        expect(await rebuild.generations()).toEqual(['1 live', `${build} building`]);
        expect(await two.rebuilds.swaps(1)).toEqual([]);
        await two.done('projections', 'swap', String(build), '--reason', 'a later policy');
        expect(await rebuild.generations()).toEqual(['1 previous', `${build} live`]);
      }),
    CASE_MS,
  );

  when(
    'is swapped by a command though the service that leads is killed meanwhile, and the other one leads',
    async (rebuild) => {
      const { two } = rebuild;
      const build = await rebuild.beginLevel();
      const victim = await rebuild.leader('live');
      const wall = await rebuild.wall('lock table tenure.generation_swap in exclusive mode');
      const command = two.tenure('projections', 'swap', String(build), '--reason', 'a later policy');
      await rebuild.isHeld(COMMAND);
      await rebuild.without(victim, async () => {
        await wall.query('rollback');
        expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
        await rebuild.tell(rebuild.other(victim));
      });
      expect(await rebuild.generations()).toEqual(['1 previous', `${build} live`]);
    },
  );

  when(
    'rolled back is folded on by the other service when the one that leads is killed just then',
    async (rebuild) => {
      const { two } = rebuild;
      const build = await rebuild.beginLevel();
      await two.rebuilds.swap(build, OPS);
      const victim = await rebuild.leader('live');
      const command = two.tenure('projections', 'rollback', '--reason', 'to and fro');
      const moved = async (): Promise<boolean> => (await two.rebuilds.swaps(1))[0]?.kind === 'rollback';
      await until('the pointer moved', moved);
      await rebuild.without(victim, async () => {
        await rebuild.tell(rebuild.other(victim));
      });
      expect((await command.ended).code).toBe(0);
      expect(await rebuild.generations()).toEqual(['1 live', `${build} previous`]);
      await two.rebuilds.swap(build, OPS);
    },
  );

  when(
    'ordered over HTTP is carried out by the other service when the one that carries it out is killed',
    async (rebuild) => {
      const { two } = rebuild;
      const wall = await rebuild.wall('lock table tenure.generation_swap in exclusive mode');
      const ordered = await fetch(`${two.urls[0]}/v1/ops/projections/entitlements/rebuild`, {
        method: 'POST',
        headers: { ...AUTHORIZED, 'content-type': 'application/json' },
        body: JSON.stringify({ reason: 'once more' }),
      });
      const { generation } = (await ordered.json()) as { generation: number };
      expect(ordered.status).toBe(202);
      const victim = await until('a service is about to move the pointer', () =>
        two.waiterFor('generation_swap'),
      );
      await rebuild.without(victim, async () => {
        await wall.query('rollback');
        const done = async (): Promise<boolean> => (await two.rebuilds.swaps(1))[0]?.to === generation;
        await until('the order is carried out', done);
        await rebuild.tell(rebuild.other(victim));
      });
      expect(await rebuild.generations()).toEqual(['1 previous', `${generation} live`]);
    },
  );
});
