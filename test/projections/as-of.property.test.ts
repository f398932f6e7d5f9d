import fc from 'fast-check';
import { AsOfReader } from '../../src/audit/as-of/as-of.js';
import { reasonsAsOf } from '../../src/audit/as-of/explain-as-of.js';
import type { AsOfSnapshot } from '../../src/audit/as-of/user-as-of.js';
import { judge } from '../../src/policy/judge.js';
import type { FoldingRules } from '../../src/projections/entitlements/folding-rules.js';
import type { Snapshot } from '../../src/projections/entitlements/snapshot.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { judgedAsOf } from '../support/as-of-judgement.js';
import { history, USERS } from '../support/histories.js';
import { randomFrom } from '../support/lives.js';
import { type Instance, ProjectedLog, type ToRecord } from '../support/projected-log.js';

/** How many histories are tried, with so many questions of each kind at four times; `AS_OF_SEED` repeats a run. */
const numRuns = Number(process.env.AS_OF_RUNS ?? '2');
const QUESTIONS = 7;
/** Jest's limit for them, in milliseconds. */
const RUNS_MS = 300_000 + numRuns * 30_000;
const seed = process.env.AS_OF_SEED === undefined ? {} : { seed: Number(process.env.AS_OF_SEED) };
const OPS = { actor: 'ops', reason: 'a test' };
const HOUR = 3_600_000;

/** Other code than that which answers: what it served stays what was served. */
const OF_BEFORE: FoldingRules = {
  codeVersion: 'before',
  judge: (facts, catalog, now) => {
    const { entitlement, ...rest } = judge(facts, catalog, now);
    return { ...rest, entitlement: { ...entitlement, features: [...entitlement.features, 'before'].sort() } };
  },
};

/** What GET answered at a moment (Unix ms). */
interface Answered {
  readonly at: number;
  readonly snapshot: Snapshot;
}

/** The part of an answer that a snapshot of now has too. */
function servedPart({ asOf, position, unobserved, ...rest }: AsOfSnapshot): object {
  return rest;
}

describe('A question as of a moment', () => {
  it(
    'is answered as the plain way says, as GET answered then, and alone as among others about the user, before and after a rebuild, a swap and a roll-back',
    async () => {
      await fc.assert(
        fc.asyncProperty(history(), fc.nat(), async ({ events }, salt) => {
          const random = randomFrom(salt);
          const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
          const log = await ProjectedLog.open();
          try {
            let clock = 0;
            const now = (): number => clock;
            let live = await log.start('before', { rules: OF_BEFORE, now });
            const told: ToRecord[] = [];
            const answered: Answered[] = [];
            const lookNow = async (): Promise<void> => {
              const reader = new EntitlementReader(log.pool, now);
              for (const { snapshot } of await reader.readMany(USERS)) answered.push({ at: clock, snapshot });
            };
            /** Records events; where the fold's time then stands still for a while, what GET answers is kept. */
            const tell = async (some: readonly ToRecord[], instance: Instance): Promise<void> => {
              for (const [n, each] of some.entries()) {
                await instance.reaches(await log.record(each));
                told.push(each);
                clock = Math.max(clock, each.at);
                const next = some[n + 1]?.at ?? Number.POSITIVE_INFINITY;
                if (next <= clock || random() > 0.2) continue;
                clock = Math.min(next - 1, clock + Math.floor(random() * HOUR));
                if (told.some(({ event }) => event.type === 'PlanCatalogPublished')) await lookNow();
              }
            };
            const doubled = events.flatMap((each) => (random() < 0.1 ? [each, each] : [each]));
            const published = doubled.findIndex(({ event }) => event.type === 'PlanCatalogPublished');
            const cut = Math.max(published + 1, Math.floor(doubled.length * 0.8));
            await tell(doubled.slice(0, cut), live);
            await lookNow();
            const asOf = new AsOfReader({
              pool: log.pool,
              store: log.store,
              streamPrefix: 'tenure.',
              now,
              reach: (position) => live.engine.waitUntil(position, 5_000),
            });
            const isTrue = async (): Promise<void> => {
              const times = told.flatMap(({ at, origin }) => [at, (origin?.created ?? 0) * 1_000]);
              for (let n = 0; n < QUESTIONS; n += 1) {
                const userId = pick(USERS);
                const at = pick(times) + pick([-1, 0, 1, HOUR]);
                const knownAt = pick([clock, Math.min(clock, pick(times) + pick([0, 1, HOUR]))]);
                const { entitlement, since } = judgedAsOf(told, userId, { at, knownAt });
                const { snapshot } = await asOf.asOf(userId, { at, knownAt });
                const { position: _, ...rest } = snapshot;
                expect(rest).toEqual({
                  userId,
                  ...entitlement,
                  revocationVersion: null,
                  changedAt: null,
                  asOf: {
                    at: new Date(at).toISOString(),
                    knownAt: new Date(knownAt).toISOString(),
                    since: since === null ? null : new Date(since).toISOString(),
                  },
                  ...(since === null || at < since ? { unobserved: true } : {}),
                });
              }
              const one = pick(USERS);
              const user = await asOf.ofUser(one);
              const moments = Array.from({ length: QUESTIONS }, () => Math.min(clock, pick(times)));
              for (const moment of moments.sort((a, b) => a - b)) {
                for (const question of [
                  { at: null, knownAt: moment },
                  { at: moment, knownAt: null },
                ] as const) {
                  const [told, alone] = [await user.asOf(question), await asOf.asOf(one, question)];
                  expect(told.snapshot).toEqual(alone.snapshot);
                  expect(await reasonsAsOf(told)).toEqual(await reasonsAsOf(alone));
                }
              }
              for (let n = 0; n < QUESTIONS; n += 1) {
                const { at: knownAt, snapshot } = pick(answered);
                const { position: _, scheduledChange: __, ...expected } = snapshot;
                const found = await asOf.asOf(snapshot.userId, { at: null, knownAt });
                expect(servedPart(found.snapshot)).toEqual(expected);
              }
            };
            await isTrue();
            await live.stop();
            live = await log.start('now', { now, patienceMs: 20_000 });
            const later = async (): Promise<void> => {
              clock += HOUR;
              await lookNow();
              await isTrue();
            };
            clock += HOUR;
            await live.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
            await later();
            // What GET has answered by now is not of a time at which any of these is recorded.
            const rest = doubled.slice(cut);
            const shift = Math.max(0, clock + HOUR - Math.min(...rest.map(({ at }) => at)));
            await tell(
              rest.map((each) => ({ ...each, at: each.at + shift })),
              live,
            );
            await later();
            clock += HOUR;
            await live.rebuilds.rollBack(OPS);
            await later();
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
