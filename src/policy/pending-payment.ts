import type { Account } from './account.js';
import type { PendingPayment } from './entitlement.js';
import { compareText } from './order.js';
import type { NamedPlan } from './prices.js';
import { rankOf } from './spells.js';
import { pendingUpdateOf, type Standing } from './standing.js';
import { rfc3339 } from './time.js';

interface Awaited {
  readonly plan: NamedPlan;
  readonly price: string;
  /** Unix seconds of its first observation. */
  readonly since: number;
}

/**
 * The higher plan that a user asked for and has not paid yet (DESIGN 8): of the newest spell while it waits, or of a
 * `pending_update` above the settled plan; of several subscriptions the one of highest rank, then of smallest id.
 */
export function pendingPaymentOf(standings: readonly Standing[]): PendingPayment | null {
  const candidates = standings.flatMap((standing) => {
    const awaited = awaitedBy(standing);
    return awaited === null ? [] : [{ awaited, account: standing.account }];
  });
  candidates.sort(
    (a, b) =>
      b.awaited.plan.plan.rank - a.awaited.plan.plan.rank ||
      compareText(a.account.subscription, b.account.subscription),
  );
  const [winner] = candidates;
  if (winner === undefined) return null;
  const { plan, price, since } = winner.awaited;
  return {
    plan: plan.name,
    price,
    since: rfc3339(since),
    invoice: openInvoiceFor(winner.account, price),
  };
}

function awaitedBy({ account, access }: Standing): Awaited | null {
  const { settlement, ended } = account;
  if (!access && !(settlement.firstWaits && !ended)) return null;
  const { newest, settled } = settlement;
  const spell: Awaited | null =
    settlement.newestWaits && newest?.of != null && newest.since !== null
      ? { plan: newest.of.plan, price: newest.of.item.price, since: newest.since }
      : null;
  const update = pendingUpdateOf(account);
  const settledRank = settled === null ? Number.NEGATIVE_INFINITY : rankOf(settled);
  if (update === null || update.plan.plan.rank <= settledRank) return spell;
  return spell === null || update.plan.plan.rank > spell.plan.plan.rank ? update : spell;
}

/** The open invoice with a line of that price; of several the one created last, then of greatest id. */
function openInvoiceFor({ invoices }: Account, price: string): string | null {
  const open = invoices
    .filter(({ data }) => data.status === 'open' && data.lines.some((line) => line.price === price))
    .sort((a, b) => b.data.created - a.data.created || compareText(b.data.invoice, a.data.invoice));
  return open[0]?.data.invoice ?? null;
}
