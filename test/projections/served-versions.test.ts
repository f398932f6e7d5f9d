import fc from 'fast-check';
import { allowsTheSame } from '../../src/policy/access-part.js';
import type { Snapshot } from '../../src/projections/entitlements/snapshot.js';
import { EntitlementReader } from '../../src/projections/read-models/entitlement.reader.js';
import { at, day } from '../support/policy-stories.js';
import { type Instance, ProjectedLog, type ToRecord } from '../support/projected-log.js';
import { publication, sightOf, twoPlans } from '../support/stories-to-record.js';

const OPS = { actor: 'ops', reason: 'a test' };
const numRuns = Number(process.env.VERSION_LOG_RUNS ?? '2');

/** A sight of a user's subscription that was recorded `late` milliseconds before `now`. */
function seenLate(userId: string, now: number, late: number, more: Parameters<typeof sightOf>[2]): ToRecord {
  const second = Math.floor(now / 1_000);
  const sight = sightOf(userId, second, { userId, ...more });
  const told = sight.origin && { ...sight.origin, eventId: `${sight.origin.eventId} ${userId} ${now}` };
  return { ...sight, origin: told, at: now - late };
}

describe('A version that is served', () => {
  let log: ProjectedLog;
  let now: number;
  let live: Instance;
  beforeEach(async () => {
    log = await ProjectedLog.open();
    now = at(day(1));
    live = await log.start('live', { now: () => now, batchSize: 1 });
    await live.reaches(await log.record(publication(twoPlans({ free: 'reports', plus: 'export' }), day(0))));
  });
  afterEach(() => log.close());

  async function fold(...events: readonly ToRecord[]): Promise<void> {
    await live.reaches(await log.record(...events));
  }

  /** `plan version` of ann by a clock, from the database. */
  async function shown(clock = now): Promise<string> {
    const [served] = await new EntitlementReader(log.pool, () => clock).readMany(['ann']);
    return `${served?.snapshot.plan} ${served?.snapshot.revocationVersion}`;
  }

  async function feed(): Promise<readonly string[]> {
    const { rows } = await log.pool.query<{ user_id: string; version: number }>(
      'select user_id, version from tenure.revocation_feed order by cursor',
    );
    return rows.map((row) => `${row.user_id} ${row.version}`);
  }

  it('is higher than what time had brought when an event from before that takes it back, and the feed says so', async () => {
    const end = Math.floor(now / 1_000) + 60;
    await fold(seenLate('ann', now, 0, { cancelAt: end }));
    expect(await shown()).toBe('plus 1');
    now += 60_000;
    expect(await shown()).toBe('free 2');
    const withdrawn = seenLate('ann', now + 1_000, 2_000, { cancelAt: null });
    now += 1_000;
    await fold(withdrawn);
    expect(await shown()).toBe('plus 3');
    expect(await feed()).toEqual(['ann 1', 'ann 3']);
    // The counter is the log's alone; a build counts the same, and neither a swap nor the way back changes the version.
    await live.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
    expect(await shown()).toBe('plus 3');
    await live.rebuilds.rollBack(OPS);
    expect(await shown()).toBe('plus 3');
    expect(await live.rebuilds.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
  });

  it('is never that of something else which an instance with a clock ahead has served', async () => {
    await fold(seenLate('ann', now, 0, { cancelAt: Math.floor(now / 1_000) + 60 }));
    now += 40_000;
    expect(await shown(now + 25_000)).toBe('free 2');
    await fold(seenLate('ann', now, 0, { cancelAt: null, status: 'past_due' }));
    expect(await shown()).toBe('plus 3');
  });

  it('grows with all that differs, never goes back and is one thing only, whatever is late, read or swapped', async () => {
    const users = ['u1', 'u2', 'u3'];
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(50_000) }) },
      {
        weight: 8,
        arbitrary: fc.record({
          kind: fc.constant('event' as const),
          user: fc.constantFrom(...users),
          late: fc.oneof(fc.constant(0), fc.nat(100_000)),
          ends: fc.option(fc.integer({ min: -10, max: 120 })),
          status: fc.constantFrom('active', 'active', 'past_due', 'unpaid'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('rebuild' as const, 'back' as const) }) },
    );
    const skews = fc.array(fc.integer({ min: -30_000, max: 30_000 }), { minLength: 3, maxLength: 3 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 30 }), skews, async (steps, offBy) => {
        run += 1;
        const own = (user: string): string => `${user} of run ${run}`;
        const meanings = new Map<string, Snapshot>();
        const last = new Map<string, Snapshot>();
        const read = async (): Promise<void> => {
          for (const [n, off] of offBy.entries()) {
            const reader = new EntitlementReader(log.pool, () => now + off);
            for (const { userId, snapshot } of await reader.readMany(users.map(own))) {
              const named = `${userId} ${snapshot.revocationVersion}`;
              const meaning = meanings.get(named) ?? snapshot;
              expect([named, allowsTheSame(meaning, snapshot)]).toEqual([named, true]);
              meanings.set(named, meaning);
              const before = last.get(`${n} ${userId}`);
              if (before !== undefined) {
                const least = before.revocationVersion + (allowsTheSame(before, snapshot) ? 0 : 1);
                expect(snapshot.revocationVersion).toBeGreaterThanOrEqual(least);
              }
              last.set(`${n} ${userId}`, snapshot);
            }
          }
        };
        let swapped = false;
        for (const each of steps) {
          await read();
          if (each.kind === 'pass') now += each.ms;
          else if (each.kind === 'event') {
            const cancelAt = each.ends === null ? null : Math.floor(now / 1_000) + each.ends;
            now += 1_000; // so that each is the newest sight
            await fold(seenLate(own(each.user), now, each.late, { cancelAt, status: each.status }));
          } else if (each.kind === 'rebuild' && !swapped) {
            await live.rebuilds.rebuild({ ...OPS, afterwards: 'swap' }, () => undefined);
            swapped = true;
          } else if (swapped) await live.rebuilds.rollBack(OPS);
        }
        await read();
        for (const { generation, role } of await live.rebuilds.list()) {
          if (role === 'previous') await live.rebuilds.drop(generation);
        }
      }),
      { numRuns, endOnFailure: true },
    );
  });
});
