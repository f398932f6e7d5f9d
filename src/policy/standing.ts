import type { Account } from './account.js';
import type { EntitlementStatus } from './entitlement.js';
import { compareText } from './order.js';
import { type NamedPlan, planItem } from './prices.js';

/**
 * What one subscription gives at one instant. `access` tells whether it gives any; `plan` what it gives, `null` when
 * that is nothing. `word` says why it gives no plan, `null` when it has nothing to say. Times are Unix seconds.
 */
export interface Standing {
  readonly account: Account;
  readonly access: boolean;
  readonly plan: NamedPlan | null;
  readonly status: 'active' | 'trialing' | 'past_due' | null;
  readonly periodEnd: number | null;
  readonly addonsCount: boolean;
  readonly word: EntitlementStatus | null;
}

const KNOWN_STATUSES: ReadonlySet<string> = new Set([
  'active',
  'trialing',
  'past_due',
  'unpaid',
  'paused',
  'incomplete',
  'incomplete_expired',
  'canceled',
]);

/** Whether a status is one that Stripe's enumeration has today; others give no access and are counted. */
export function isKnownStatus(status: string): boolean {
  return KNOWN_STATUSES.has(status);
}

/** Judges one subscription at `now` (Unix seconds, fractions allowed) by the table of DESIGN 8. */
export function standingAt(account: Account, now: number): Standing {
  const refusal = refusalWord(account, now);
  const status = statusWithAccess(account, now);
  if (refusal !== null || status === null) return nothing(account, refusal);
  if (status === 'past_due' && isOver(account.graceEnd, now)) return afterGrace(account, now);
  const { settled, first, firstWaits } = account.settlement;
  const followed = settled ?? (firstWaits && status === 'trialing' ? first : null);
  const plan = followed?.of?.plan ?? null;
  return {
    account,
    access: true,
    plan,
    status,
    periodEnd: followed?.of == null ? null : lastPeriodEnd(account, followed.of.item.price),
    addonsCount: followed !== null || account.settlement.first === null,
    word: null,
  };
}

/** Instants (Unix seconds) at which time alone may change what this subscription gives. */
export function turningPoints(account: Account): readonly number[] {
  return [account.trialEnd, account.graceEnd, account.accessEnd]
    .filter((instant) => instant !== null)
    .concat(account.covered.flatMap(({ start, end }) => [start, end]));
}

function isOver(end: number | null, now: number): boolean {
  return end !== null && now >= end;
}

/** The first word that fits for a subscription that gives nothing, in the order of DESIGN 10. */
function refusalWord(account: Account, now: number): EntitlementStatus | null {
  const { status } = account;
  if (status === 'canceled' || status === 'unpaid' || status === 'paused') return status;
  if (!isKnownStatus(status)) return 'unknown';
  if (isOver(account.accessEnd, now)) return 'canceled';
  if (account.collectionSuspended) return 'paused';
  if (account.writtenOff) return 'unpaid';
  return null;
}

function statusWithAccess(account: Account, now: number): 'active' | 'trialing' | 'past_due' | null {
  switch (account.status) {
    case 'active':
    case 'past_due':
      return account.status;
    case 'trialing':
      return isOver(account.trialEnd, now) ? null : 'trialing';
    default:
      return null;
  }
}

function nothing(account: Account, word: EntitlementStatus | null): Standing {
  return { account, access: false, plan: null, status: null, periodEnd: null, addonsCount: false, word };
}

/**
 * After grace only what was paid for and is not used up: the highest plan that a line that paid covers now. Of equal
 * ranks the settled spell's own plan, then the one covered longest, then by name.
 */
function afterGrace(account: Account, now: number): Standing {
  const own = account.settlement.settled?.of?.plan.name;
  const [best] = account.covered
    .filter(({ start, end }) => now >= start && now < end)
    .sort(
      (a, b) =>
        b.plan.plan.rank - a.plan.plan.rank ||
        Number(b.plan.name === own) - Number(a.plan.name === own) ||
        b.end - a.end ||
        compareText(a.plan.name, b.plan.name),
    );
  if (best === undefined) return nothing(account, 'past_due');
  return {
    account,
    access: true,
    plan: best.plan,
    status: 'past_due',
    periodEnd: best.end,
    addonsCount: false,
    word: null,
  };
}

/** `current_period_end` of the last item that carried a price. */
function lastPeriodEnd(account: Account, price: string): number | null {
  for (let at = account.ordered.length - 1; at >= 0; at -= 1) {
    const data = account.ordered[at]?.data;
    const carried =
      data?.items.find((item) => item.price === price) ??
      data?.previous?.items?.find((item) => item.price === price);
    if (carried !== undefined) return carried.currentPeriodEnd;
  }
  return null;
}

/** The plan that a change held back by Stripe names, with the second it was first named without a break. */
export function pendingUpdateOf(account: Account): { plan: NamedPlan; price: string; since: number } | null {
  const pending = planItem(account.newest.data.pendingUpdate?.items ?? [], account.book);
  if (pending === null) return null;
  const { price } = pending.item;
  const lastWithout = account.ordered.findLastIndex(
    ({ data }) => !(data.pendingUpdate?.items ?? []).some((item) => item.price === price),
  );
  const since = account.ordered[lastWithout + 1]?.created ?? account.newest.created;
  return { plan: pending.plan, price, since };
}
