import fc from 'fast-check';
import { EntitlementsProjector } from '../../src/projections/entitlements/entitlements.projector.js';
import type { MoreFolders } from '../../src/projections/rebuild/build-fold.js';
import { OwnChunkFolder } from '../../src/projections/rebuild/grouped/own-chunk-folder.js';
import { eventsAtOf } from '../../src/projections/rebuild/grouped/set-down-events.js';
import { history, USERS } from '../support/histories.js';
import { type Instance, ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { until } from '../support/until.js';

/** How many histories are tried; `REBUILD_SEED` repeats a run. */
const numRuns = Number(process.env.REBUILD_RUNS ?? '2');
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const seed = process.env.REBUILD_SEED === undefined ? {} : { seed: Number(process.env.REBUILD_SEED) };
const OPS = { actor: 'ops', reason: 'a test' };

/** A history, at which of its moments (parts of a thousand) what happens, and in batches of what size. */
const rebuilds = fc.record({
  events: history().map(({ events }) => events),
  begins: fc.nat(1_000),
  swaps: fc.nat(1_000),
  batchSize: fc.constantFrom(1, 3, 50, 500),
  buildBatchSize: fc.constantFrom(2, 10, 2_000),
  sliceSize: fc.constantFrom(2, 1_000),
  bytesInMemory: fc.constantFrom(0, 30_000, 64_000_000),
  leastByGroups: fc.constantFrom(1, 5, 20_000),
  folders: fc.constantFrom(1, 2, 3),
});

/** Folders of chunks beside the one that a build has by itself, so that there are so many in all. */
function moreFolders({ store, pool }: ProjectedLog, folders: number): MoreFolders {
  return (key, batchSize) => {
    const eventsAt = eventsAtOf(store, pool, key.generation);
    const projectorOf: ConstructorParameters<typeof OwnChunkFolder>[0]['projectorOf'] = (generation, only) =>
      new EntitlementsProjector({ pool, generation, ...only });
    return Array.from(
      { length: folders - 1 },
      () => new OwnChunkFolder({ eventsAt, pool, key, projectorOf, batchSize }),
    );
  };
}

/** Versions served at the end of time: whatever follows by the clock has come. */
async function versions({ reader }: Instance): Promise<readonly number[]> {
  return (await reader.readMany(USERS)).map(({ snapshot }) => snapshot.revocationVersion);
}

async function recordAll(log: ProjectedLog, events: readonly ToRecord[]): Promise<void> {
  if (events.length > 0) await log.record(...events);
}

/** Records the deadlines that are due by the clock of what was recorded last, as the scheduler would. */
async function recordDue(log: ProjectedLog, { deadlines, reaches }: Instance, now: number): Promise<void> {
  const head = await log.store.head();
  if (head === null) return;
  await reaches(head);
  const due = await deadlines.due(now, null, 100);
  await recordAll(
    log,
    due.map(({ userId, at }) => ({
      event: { type: 'AccessDeadlineReached', data: { userId, at: new Date(at).toISOString() } },
      origin: null,
      at: Math.max(at, now),
    })),
  );
}

describe('A rebuild at any moment of any history', () => {
  it(
    'equals the live projection in every row, changes no version, and verifies clean',
    async () => {
      await fc.assert(
        fc.asyncProperty(rebuilds, async ({ events, begins, swaps, folders, ...sizes }) => {
          const [first, second] = [begins, swaps].sort((a, b) => a - b) as [number, number];
          const cut = (at: number): number => Math.floor((at / 1_001) * events.length);
          const log = await ProjectedLog.open();
          try {
            let served = 0; // nothing that time brings is served before everything is folded
            const a = await log.start('a', {
              ...sizes,
              moreFolders: moreFolders(log, folders),
              patienceMs: 20_000,
              now: () => served,
            });
            await recordAll(log, events.slice(0, cut(first)));
            const clock = (count: number): number =>
              Math.max(0, ...events.slice(0, count).map(({ at }) => at));
            await recordDue(log, a, clock(cut(first)));
            const generation = await a.rebuilds.begin(OPS);
            const recording = recordAll(log, events.slice(cut(first), cut(second)));
            await a.rebuilds.untilCaughtUp(generation, () => undefined);
            await recording;
            await recordDue(log, a, clock(cut(second)));
            const handled = a.engine.status().handled;
            const swapping = a.rebuilds.swap(generation, OPS);
            await recordAll(log, events.slice(cut(second)));
            expect(await swapping).toMatchObject({ changed: 0, detailsOnly: 0, mixed: null });
            expect(BigInt(a.engine.status().handled ?? '0')).toBeGreaterThanOrEqual(BigInt(handled ?? '0'));

            const last = (await log.store.head()) ?? '0';
            await a.reaches(last);
            await until('both generations are level', async () => {
              const all = await a.rebuilds.list();
              return all.every(
                ({ fold }) =>
                  fold?.checkpoint.handled === last && fold.checkpoint.partialProgress.length === 0,
              );
            });
            expect(await log.rowsOf(generation)).toEqual(await log.rowsOf(1));
            const { rows } = await log.pool.query('select from tenure.revocation_offset');
            expect(rows).toEqual([]);
            expect(await a.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({
              position: last,
              generation,
              differences: 0,
            });
            for (const users of [1, 3]) {
              const sampled = await a.rebuilds.verify(users, 'test', () => undefined);
              expect(sampled).toMatchObject({ position: last, differences: 0, first: [] });
            }
            served = Date.now();
            const before = await versions(a);
            expect(await a.rebuilds.rollBack(OPS)).toMatchObject({ changed: 0, mixed: null });
            expect(await versions(a)).toEqual(before);

            // What was served while generations came and went is what a fold from scratch gives, feed included.
            const feed =
              'select user_id, version, raised_at from tenure.revocation_feed order by user_id, cursor';
            const shown = (await log.pool.query(feed)).rows;
            await a.stop();
            const straight = await log.rowsOf(1);
            await log.empty();
            await log.replay({ batchSize: 1_000, sliceSize: 1_000, projector: 'kept' });
            expect(await log.rowsOf(1)).toEqual(straight);
            expect((await log.pool.query(feed)).rows).toEqual(shown);
          } finally {
            await log.close();
          }
        }),
        { numRuns, endOnFailure: true, ...seed },
      );
    },
    RUNS_MS,
  );
});
