import fc from 'fast-check';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { type History, history, policyAfter, USERS } from '../support/histories.js';
import { ProjectedLog, type Replay } from '../support/projected-log.js';

/** How many histories are tried; `REPLAY_SEED` repeats a run. */
const numRuns = Number(process.env.REPLAY_RUNS ?? '2');
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const seed = process.env.REPLAY_SEED === undefined ? {} : { seed: Number(process.env.REPLAY_SEED) };

/** The way to fold that all others are compared with, and those others. */
const STRAIGHT: Replay = { batchSize: 1_000, sliceSize: 1_000, projector: 'kept' };
const OTHERS: readonly Replay[] = [
  { batchSize: 1, sliceSize: 1_000, projector: 'kept' },
  { batchSize: 2, sliceSize: 3, projector: 'kept' },
  { batchSize: 1, sliceSize: 1, projector: 'kept', bytesInMemory: 15_000 },
  { batchSize: 7, sliceSize: 2, projector: 'made anew each round' },
  { batchSize: 1, sliceSize: 1, projector: 'made anew each round' },
];

async function withLog({ events }: History, look: (log: ProjectedLog) => Promise<void>): Promise<void> {
  const log = await ProjectedLog.open();
  try {
    await log.record(...events);
    await look(log);
  } finally {
    await log.close();
  }
}

describe('One log replayed', () => {
  it(
    'gives the same rows in every column, whatever the batches and slices, restarted between them or not',
    async () => {
      await fc.assert(
        fc.asyncProperty(history(), (given) =>
          withLog(given, async (log) => {
            expect((await log.replay(STRAIGHT)).outcome).toBe('idle');
            const expected = await log.rows();
            for (const other of OTHERS) {
              await log.empty();
              expect((await log.replay(other)).outcome).toBe('idle');
              expect({ ...other, rows: await log.rows() }).toEqual({ ...other, rows: expected });
            }
          }),
        ),
        { numRuns, endOnFailure: true, ...seed },
      );
    },
    RUNS_MS,
  );

  it(
    'shows what the policy says of the whole set of facts',
    async () => {
      await fc.assert(
        fc.asyncProperty(history(), (given) =>
          withLog(given, async (log) => {
            await log.replay(STRAIGHT);
            const now = Math.max(...given.events.map(({ at }) => at));
            const served = await new EntitlementReader(log.pool, () => now).readMany(USERS);
            const shown = served.map(({ snapshot }) => {
              const { userId, revocationVersion, position, changedAt, scheduledChange, ...entitlement } =
                snapshot;
              return [userId, entitlement];
            });
            expect(new Map(shown as [string, unknown][])).toEqual(policyAfter(given));
          }),
        ),
        { numRuns, endOnFailure: true, ...seed },
      );
    },
    RUNS_MS,
  );
});
