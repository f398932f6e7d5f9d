import type { Awaited } from '../awaited-payment.js';
import type { Combination } from '../combine.js';
import { rfc3339 } from '../time.js';
import { eventsOf, type Reason, reasonOf, timeOf } from './reason.js';
import { takenBackFacts } from './returned-evidence.js';

/** Why a payment is awaited; none where none is. */
export function pendingPaymentReason({ pending }: Combination): readonly Reason[] {
  return pending === null ? [] : [waitingReason(pending.account.subscription, pending.awaited)];
}

/** What a subscription waits to be paid for, and why the money is not there. */
export function waitingReason(subscription: string, awaited: Awaited): Reason {
  const { plan, price, by, since, invoice, reason, told, returned } = awaited;
  return reasonOf('pendingPayment', `pending_${reason}`, {
    facts: {
      subscription,
      plan: plan.name,
      price,
      by,
      since: timeOf(since),
      invoice: invoice?.data.invoice ?? null,
      invoicedOn: invoice === null ? null : rfc3339(invoice.data.created),
      invoiceToldAt: timeOf(invoice?.told),
      toldAt: timeOf(told),
      takenBack: returned === null ? null : takenBackFacts(returned),
    },
    events: eventsOf(since, invoice?.told, told, returned?.invoice.told),
  });
}
