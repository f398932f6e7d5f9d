import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { failingRules } from '../support/failing-rules.js';
import { history } from '../support/histories.js';
import { ProjectedLog, type Replay } from '../support/projected-log.js';

/** How many histories are tried; `SET_ASIDE_SEED` repeats a run. */
const numRuns = Number(process.env.SET_ASIDE_RUNS ?? '2');
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const seed = process.env.SET_ASIDE_SEED === undefined ? {} : { seed: Number(process.env.SET_ASIDE_SEED) };

/** One of so many texts, the same ones in every fold. */
function isPicked(text: string, salt: number, ofEach: number): boolean {
  return createHash('sha256').update(`${salt} ${text}`).digest().readUInt32BE() % ofEach === 0;
}

function sortedBy<T>(list: readonly T[], key: (entry: T) => string): readonly T[] {
  return [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/**
 * Rules that cannot judge some observations, some subscriptions at some seconds, and that now and then say what cannot be
 * written: a function of what is judged alone, as code is.
 */
function unlucky(salt: number) {
  return failingRules('1', ({ facts, now, judgement }) => {
    // Facts are sets: what is judged does not hang on the order in which they are in memory.
    for (const { subscription, observations } of sortedBy(facts.subscriptions, (one) => one.subscription)) {
      if (isPicked(`${subscription} ${Math.floor(now / 3_600_000)}`, salt, 40)) return true;
      for (const { eventId } of sortedBy(observations, (one) => one.eventId)) {
        if (isPicked(eventId, salt, 25)) return true;
        if (isPicked(`${eventId} out of range`, salt, 40)) {
          return { ...judgement, successors: [{ at: 8e15, entitlement: judgement.entitlement }] };
        }
      }
    }
    return false;
  });
}

describe('What is set aside', () => {
  it(
    'is the same in every row, whatever the batch size, kept in memory or not',
    async () => {
      await fc.assert(
        fc.asyncProperty(history(), fc.nat(), async ({ events }, salt) => {
          const log = await ProjectedLog.open();
          try {
            for (const [n, event] of events.entries()) {
              await log.record(event);
              if (n % 40 === 20) {
                await log.recordRaw({ id: randomUUID(), type: 'FromTheFuture', data: '{}', metadata: '{}' });
              }
            }
            const rules = unlucky(salt);
            const replay = async (how: Pick<Replay, 'batchSize' | 'projector'>) => {
              await log.empty();
              await log.replay({ ...how, sliceSize: 1_000, rules, faultLimit: 1_000 });
              return log.rows();
            };
            const straight = await replay({ batchSize: 500, projector: 'kept' });
            expect(straight.set_aside_stream).not.toEqual([]);
            for (const batchSize of [1, 2, 7]) {
              const projector = batchSize === 2 ? 'made anew each round' : 'kept';
              expect(await replay({ batchSize, projector })).toEqual(straight);
            }
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
