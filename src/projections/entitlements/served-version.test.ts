import fc from 'fast-check';
import { allowsTheSame } from '../../policy/access-part.js';
import type { Entitlement, Successor } from '../../policy/entitlement.js';
import { advance } from './advance.js';
import { aroundInstance, aroundServer, offsetAfter } from './served-version.js';
import { defaultUserRow, snapshotAt, type UserRow } from './user-row.js';

const FREE: Entitlement = {
  role: 'free',
  plan: 'free',
  status: 'none',
  features: [],
  limits: {},
  subscriptionActive: false,
  expiresAt: null,
  cancelAt: null,
  pendingPayment: null,
  source: null,
  unmappedPrices: [],
  validUntil: null,
};
const plan = (name: string, expiresAt: string | null = null): Entitlement => ({
  ...FREE,
  plan: name,
  expiresAt,
});
const BEGAN = 1_000_000_000;
const NOW = { earliest: BEGAN, latest: BEGAN };

function rowOf(name: string, counter: number, ...successors: readonly [number, string, number][]): UserRow {
  return {
    ...defaultUserRow('ann', plan(name)),
    counter,
    successors: successors.map(([at, next, counted]) => ({ at, entitlement: plan(next), counter: counted })),
  };
}

describe('The offset of a version', () => {
  it.each<[string, UserRow, UserRow, number]>([
    ['stays where nothing was due', rowOf('plus', 1, [BEGAN + 1, 'free', 2]), rowOf('pro', 2), 0],
    [
      'grows where what is served again was replaced by time',
      rowOf('plus', 1, [BEGAN, 'free', 2]),
      rowOf('plus', 1),
      2,
    ],
    [
      'grows where something else would have the version of what time brought',
      rowOf('plus', 1, [BEGAN, 'free', 2]),
      rowOf('pro', 2),
      1,
    ],
    [
      'keeps the version of what time brought and the event brings too',
      rowOf('plus', 1, [BEGAN, 'free', 2]),
      rowOf('free', 2),
      0,
    ],
    [
      'stays where the event leaves what time brought',
      rowOf('plus', 1, [BEGAN, 'free', 2]),
      rowOf('plus', 1, [BEGAN, 'free', 2]),
      0,
    ],
  ])('%s', (_, old, next, grown) => {
    expect(offsetAfter(old, 3, next, NOW, 3)).toBe(3 + grown);
  });

  it('grows already where the fastest clock may have served what time brings', () => {
    const old = rowOf('plus', 1, [BEGAN + 30_000, 'free', 2]);
    expect(offsetAfter(old, 0, rowOf('plus', 1), aroundServer(BEGAN), 0)).toBe(2);
    expect(offsetAfter(old, 0, rowOf('plus', 1), aroundServer(BEGAN - 60_000), 0)).toBe(0);
    const unmoved = rowOf('plus', 1, [BEGAN + 30_000, 'free', 2]);
    expect(offsetAfter(old, 0, unmoved, aroundServer(BEGAN), 0)).toBe(0);
  });

  it('falls where the other generation counts higher, so that the version stays', () => {
    expect(offsetAfter(rowOf('plus', 1), 5, rowOf('plus', 4), NOW)).toBe(2);
    expect(offsetAfter(rowOf('plus', 1), 5, rowOf('pro', 4), NOW)).toBe(3);
  });
});

/** What happens to a user: time passes, an event that came late or not is folded, generations are swapped. */
type Step =
  | { readonly kind: 'pass'; readonly ms: number }
  | {
      readonly kind: 'event' | 'swap';
      readonly late: number;
      readonly plans: readonly string[];
      readonly gaps: readonly number[];
      readonly renewed: boolean;
      readonly counter: number;
    };

const stepOf = fc.record({
  late: fc.oneof(fc.constant(0), fc.nat(120_000)),
  plans: fc.array(fc.constantFrom('free', 'plus', 'pro'), { minLength: 1, maxLength: 3 }),
  gaps: fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 3, maxLength: 3 }),
  renewed: fc.boolean(),
  counter: fc.nat(6),
});
const steps = fc.array(
  fc.oneof(
    fc.nat(60_000).map((ms): Step => ({ kind: 'pass', ms })),
    stepOf.map((given): Step => ({ kind: 'event', ...given })),
    stepOf.map((given): Step => ({ kind: 'swap', ...given })),
  ),
  { minLength: 5, maxLength: 40 },
);
/** Clocks of three instances, from the database server's. */
const clocks = fc.array(fc.integer({ min: -30_000, max: 30_000 }), { minLength: 3, maxLength: 3 });

describe('Versions, whenever who reads and whatever comes late,', () => {
  it('never go back, grow with every change of what is served, and are never served for two things', () => {
    fc.assert(
      fc.property(steps, clocks, (given, offBy) => {
        const meaning = new Map<number, Entitlement>();
        const last = offBy.map((): { version: number; entitlement: Entitlement } | null => null);
        let [row, offset, now, folded] = [defaultUserRow('ann', FREE), 0, BEGAN, 0];
        const read = (): void => {
          for (const [n, off] of offBy.entries()) {
            const { entitlement, counter } = snapshotAt(row, now + off);
            const version = counter + offset;
            const known = meaning.get(version) ?? entitlement;
            expect(allowsTheSame(known, entitlement)).toBe(true);
            meaning.set(version, known);
            const before = last[n];
            if (before !== null && before !== undefined) {
              const isSame = allowsTheSame(before.entitlement, entitlement);
              expect(version - before.version).toBeGreaterThanOrEqual(isSame ? 0 : 1);
            }
            last[n] = { version, entitlement };
          }
        };
        for (const [n, step] of given.entries()) {
          read();
          if (step.kind === 'pass') {
            now += step.ms;
            continue;
          }
          folded = Math.max(folded, now - step.late);
          const [present = 'free', ...later] = step.plans;
          let at = folded;
          const successors: Successor[] = later.map((name, i) => {
            at += step.gaps[i] ?? 1;
            return { at, entitlement: plan(name) };
          });
          const entitlement = plan(present, step.renewed ? String(n) : null);
          const under = {
            eventId: `${n}`,
            eventType: 'SubscriptionUpdated',
            position: `${n}`,
            catalog: '1',
            now: folded,
            lateAt: null,
          };
          const moved = advance(row, { entitlement, successors, adoptedPrices: [] }, under).row;
          if (step.kind === 'event') {
            offset = offsetAfter(row, offset, moved, aroundServer(now), offset);
            row = moved;
          } else {
            const counts = step.counter - moved.counter; // the other generation counted differently
            const other: UserRow = {
              ...moved,
              counter: moved.counter + counts,
              successors: moved.successors.map((each) => ({ ...each, counter: each.counter + counts })),
            };
            offset = offsetAfter(row, offset, other, aroundInstance(now + (offBy[0] ?? 0)));
            row = other;
          }
        }
        read();
      }),
      { numRuns: Number(process.env.VERSION_RUNS ?? '200') },
    );
  });
});
