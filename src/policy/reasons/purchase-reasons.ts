import { eachOnce } from '../joined-payments.js';
import type { Purchase, PurchaseAccess } from '../purchases.js';
import { type Evidence, eventsOf, type Facts, type Reason, reasonOf, timeOf } from './reason.js';
import { paymentFacts } from './returned-evidence.js';

/** Why a purchase gives what it gives. */
export function purchaseReason(purchase: Purchase): Reason {
  return reasonOf(`purchase:${purchase.session}`, purchase.rule, purchaseEvidence(purchase));
}

/** What decided what a purchase gives: that it is paid, what it sold, and what went back. */
export function purchaseEvidence(purchase: Purchase): Evidence {
  const { session, customer, newest, completed, paid, basis, soldBy, sold, payments } = purchase;
  const told = eachOnce(payments.flatMap(({ payment }) => payment.told));
  return {
    facts: {
      purchase: session,
      customer,
      completedOn: timeOf(completed),
      boughtOn: timeOf(paid),
      seenAt: timeOf(newest),
      basis: basis.map(timeOf),
      soldTold: timeOf(soldBy),
      plans: sold.length === 0 ? null : sold.map(({ plan }) => plan.name),
      sold: sold.map(({ plan, price, units }) => ({ plan: plan.name, price, units })),
      ...returnedFacts(purchase),
    },
    events: [...new Set(eventsOf(completed, paid, soldBy, newest, ...basis, ...told))],
  };
}

/** What decided that a purchase gives one of its plans. */
export function givenByPurchase({ purchase, units }: PurchaseAccess): Evidence {
  const { facts, events } = purchaseEvidence(purchase);
  return { facts: { ...facts, units }, events };
}

/** What of its payments went back; the dispute, or the sight of the charge, that decided, or the dispute of what sold no plan. */
function returnedFacts({ payments, rule }: Purchase): Facts {
  const tellsOfDispute = rule === 'purchase_disputed' || rule === 'purchase_without_plan';
  const [dispute] = tellsOfDispute ? payments.flatMap(({ back }) => back.disputes) : [];
  const [charge] = rule === 'purchase_refunded' ? payments.flatMap(({ back }) => back.charge ?? []) : [];
  return {
    dispute: dispute?.data.dispute ?? null,
    disputeStatus: dispute?.data.status ?? null,
    refundedOn: timeOf(charge),
    payments: payments.map(paymentFacts),
  };
}
