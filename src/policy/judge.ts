import type { PlanCatalog } from '../plans/plan-catalog.js';
import { type Account, openAccount } from './account.js';
import type { AdoptedPrice, Entitlement, Judgement, Successor } from './entitlement.js';
import type { UserFacts } from './facts.js';
import { accountOf } from './kept-accounts.js';
import { compareText } from './order.js';
import { type Moment, momentsFrom } from './over-time.js';

/** More subscriptions of one user than this are kept as they were judged. */
const FEW = 8;

/**
 * The access policy (DESIGN 8): what a user may do at `now` (Unix milliseconds), and what that becomes at which later
 * instants if nothing but time passes. Pure: equal sets of facts give equal answers, whatever their order.
 */
export function judge(facts: UserFacts, catalog: PlanCatalog, now: number): Judgement {
  const open = facts.subscriptions.length > FEW ? accountOf : openAccount;
  const accounts = facts.subscriptions
    .map((subscription) => open(subscription, catalog))
    .filter((account) => account !== null);
  const [present, ...successors] = withValidity(changesAmong(momentsFrom(accounts, catalog, now)));
  if (present === undefined) throw new Error('a judgement without a present');
  return { entitlement: present.entitlement, successors, adoptedPrices: adoptedPrices(accounts) };
}

function adoptedPrices(accounts: readonly Account[]): readonly AdoptedPrice[] {
  const all = accounts.flatMap((account) => (account.ended ? [] : account.adoptedPrices));
  const each = new Map(all.map((adopted) => [JSON.stringify([adopted.price, adopted.plan]), adopted]));
  return [...each.values()].sort((a, b) => compareText(a.price, b.price) || compareText(a.plan, b.plan));
}

/** The moments at which something other is served than before. */
function changesAmong(moments: readonly Moment[]): readonly Moment[] {
  let before: string | null = null;
  return moments.filter(({ entitlement }) => {
    const text = JSON.stringify(entitlement);
    const isChange = text !== before;
    before = text;
    return isChange;
  });
}

/** Adds `validUntil`: when, by time alone, access changes next. */
function withValidity(moments: readonly Moment[]): readonly Successor[] {
  const timed: Successor[] = [];
  let later: Moment | undefined;
  let validUntil: string | null = null;
  for (const moment of [...moments].reverse()) {
    if (later !== undefined && !allowsTheSame(moment.entitlement, later.entitlement)) {
      validUntil = new Date(later.at).toISOString();
    }
    timed.push({ at: moment.at, entitlement: { ...moment.entitlement, validUntil } });
    later = moment;
  }
  return timed.reverse();
}

/** Whether two entitlements allow the same: exactly then the revocation version stays (DESIGN 9). */
export function allowsTheSame(a: AccessPart, b: AccessPart): boolean {
  return ACCESS_PARTS.every((part) => isSame(a[part], b[part]));
}

/** The parts in which two entitlements allow something else; empty exactly when they allow the same. */
export function accessDifferences(a: AccessPart, b: AccessPart): readonly (keyof AccessPart)[] {
  return ACCESS_PARTS.filter((part) => !isSame(a[part], b[part]));
}

/** What tokens and caches depend on, in the order in which differences are told. */
const ACCESS_PARTS = ['role', 'plan', 'status', 'features', 'limits'] as const;

/** The part of an entitlement that tokens and caches depend on. */
export type AccessPart = Pick<Entitlement, 'role' | 'plan' | 'status' | 'features' | 'limits'>;

/** Entitlements are built with their keys in one order, so equal texts are equal values. */
function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
