import type { PlanCatalog } from '../../events/catalog.events.js';
import { ProblemError } from '../../http/problem.js';
import { orderOfChoice, type PlanChoice } from '../../plans/plan-order.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import { addonsHeld, choiceHeld, type Held } from './held.js';
import type { Offer } from './offer.js';
import type { Wanted } from './wanted.js';

/** What is surely less than what a subscription gives, before Stripe is asked anything. @throws ProblemError `plan_change_needed` */
export function refuseLess({ of, plan }: Offer, catalog: PlanCatalog, snapshot: Snapshot): void {
  const held = catalog.plans[snapshot.plan];
  if (snapshot.subscriptionActive && held !== undefined && of.rank < held.rank) throw isLess(plan);
}

/**
 * Of these the money may still come or has gone again: what is bought on top would be had for the difference alone. An invoice
 * that is open while the plan is held is one that a bank debit is to pay.
 */
const NOT_PAID: readonly (string | undefined)[] = [
  'bank_debit',
  'sent_invoice',
  'invoice_open',
  'taken_back',
];

/**
 * What is held already, is less, waits for a payment, or would be had before it is paid.
 * @throws ProblemError `already_held`, `plan_change_needed`, `payment_due`, `not_by_sent_invoice`
 */
export function refuseHeld(
  wanted: Wanted,
  held: Held | null,
  snapshot: Pick<Snapshot, 'plan' | 'source' | 'pendingPayment'>,
  catalog: PlanCatalog,
): void {
  const { offer, choice } = wanted;
  if (snapshot.source?.type === 'purchase' && offer.of.rank <= (catalog.plans[snapshot.plan]?.rank ?? -1)) {
    throw new ProblemError('already_held', `The user has the plan "${snapshot.plan}" for good.`);
  }
  if (held === null) return;
  if (held.subscription.status === 'past_due') {
    throw isDue('The subscription has an unpaid invoice.');
  }
  const has = choiceHeld(held);
  const order = has === null ? 'more' : orderOfChoice(choice, has);
  const waits = choice.interval === 'once' || isPending(held) ? null : snapshot.pendingPayment;
  if (waits !== null && (order === 'same' || (order === 'more' && NOT_PAID.includes(waits.reason)))) {
    throw isDue(`The plan "${waits.plan}" waits for its payment (${waits.reason}).`);
  }
  const gives = catalog.plans[snapshot.plan]?.rank ?? Number.NEGATIVE_INFINITY;
  if (order === 'same' && gives < offer.of.rank) {
    throw isDue(`The subscription is of the plan "${offer.plan}" and does not give it now.`);
  }
  if (order === 'less') throw isLess(offer.plan);
  if (order === 'same') {
    throw new ProblemError('already_held', 'The subscription has this plan, interval, quantity and add-ons.');
  }
  const none = { ...choice, rank: Number.NEGATIVE_INFINITY, quantity: 0, addons: addonsHeld(held.items) };
  if (choice.interval !== 'once') refuseUnheldBack(wanted, held, has ?? none, catalog);
}

/**
 * Units and add-ons count at once (DESIGN 8), and sent invoices know no pending update: only a higher plan, with its units,
 * waits until they are paid.
 * @throws ProblemError `not_by_sent_invoice`
 */
function refuseUnheldBack(
  { choice }: Wanted,
  { subscription }: Held,
  has: PlanChoice,
  catalog: PlanCatalog,
): void {
  if (subscription.collection_method !== 'send_invoice' || catalog.policy.sendInvoice === 'onActive') return;
  const moreUnits = choice.rank <= has.rank && choice.quantity > has.quantity;
  const moreAddons = Object.entries(choice.addons).some(([name, wanted]) => wanted > (has.addons[name] ?? 0));
  if (!moreUnits && !moreAddons) return;
  throw new ProblemError(
    'not_by_sent_invoice',
    'The subscription is paid by sent invoices, and units and add-ons would count before they are paid: change it at Stripe.',
  );
}

/** Whether a change waits at Stripe already: the same one is followed on, another one gives it up. */
function isPending({ subscription }: Held): boolean {
  return subscription.pending_update != null;
}

function isDue(what: string): ProblemError {
  return new ProblemError(
    'payment_due',
    `${what} That is to be paid first: POST /v1/portal/sessions leads to where its invoices and cards are.`,
  );
}

function isLess(plan: string): ProblemError {
  return new ProblemError(
    'plan_change_needed',
    `"${plan}" is less than what the user has: change it by PATCH /v1/users/{id}/plan.`,
  );
}
