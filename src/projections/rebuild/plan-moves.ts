import type { Entitlement } from '../../policy/entitlement.js';

/** Who moves to which plan, and how many users gain and lose what. Each list is in the order of its names. */
export interface PlanMovesReport {
  readonly moves: readonly { readonly from: string; readonly to: string; readonly users: number }[];
  readonly features: readonly { readonly feature: string; readonly gained: number; readonly lost: number }[];
  readonly limits: readonly { readonly limit: string; readonly raised: number; readonly lowered: number }[];
}

interface Balance {
  more: number;
  less: number;
}

/** Counts, over users who change, plans left for others, features gained and lost, limits raised and lowered. */
export class PlanMoves {
  readonly #moves = new Map<string, { readonly from: string; readonly to: string; users: number }>();
  readonly #features = new Map<string, Balance>();
  readonly #limits = new Map<string, Balance>();

  add(before: Entitlement, after: Entitlement): void {
    if (before.plan !== after.plan) this.#move(before.plan, after.plan);
    for (const feature of new Set([...before.features, ...after.features])) {
      const [had, has] = [before.features.includes(feature), after.features.includes(feature)];
      count(this.#features, feature, Number(has) - Number(had));
    }
    for (const limit of new Set([...Object.keys(before.limits), ...Object.keys(after.limits)])) {
      count(this.#limits, limit, sizeOf(after, limit) - sizeOf(before, limit));
    }
  }

  get report(): PlanMovesReport {
    return {
      moves: [...this.#moves.values()]
        .map((move) => ({ ...move }))
        .sort((a, b) => byName(a.from, b.from) || byName(a.to, b.to)),
      features: sorted(this.#features).map(([feature, { more, less }]) => ({
        feature,
        gained: more,
        lost: less,
      })),
      limits: sorted(this.#limits).map(([limit, { more, less }]) => ({ limit, raised: more, lowered: less })),
    };
  }

  #move(from: string, to: string): void {
    const key = JSON.stringify([from, to]);
    const move = this.#moves.get(key) ?? { from, to, users: 0 };
    move.users += 1;
    this.#moves.set(key, move);
  }
}

function count(balances: Map<string, Balance>, name: string, change: number): void {
  if (change === 0) return;
  const balance = balances.get(name) ?? { more: 0, less: 0 };
  if (change > 0) balance.more += 1;
  else balance.less += 1;
  balances.set(name, balance);
}

/** A limit as a number to compare by; one that a plan does not name is below every other. */
function sizeOf({ limits }: Entitlement, name: string): number {
  const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
  if (limit === undefined) return -1;
  return limit === 'unlimited' ? Number.MAX_VALUE : limit;
}

function sorted(balances: ReadonlyMap<string, Balance>): readonly (readonly [string, Balance])[] {
  return [...balances].sort(([a], [b]) => byName(a, b));
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
