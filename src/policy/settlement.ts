import type { AccessPolicy } from '../plans/plan-catalog.js';
import type { CheckoutObservation, Observation } from './facts.js';
import { type Invoice, paidLines } from './invoices.js';
import { asksNothingInAdvance } from './prices.js';
import { rankOf, type Spell } from './spells.js';

/** A minute's slack, in seconds, between an invoice and the change it pays for. */
const INVOICE_SLACK_SECONDS = 60;

/**
 * Which spells access may follow. `settled` is the newest settled one, `null` when none is; `firstWaits` says that
 * the first spell awaits its payment; `newestWaits` that the newest one does.
 */
export interface Settlement {
  readonly settled: Spell | null;
  readonly first: Spell | null;
  readonly newest: Spell | null;
  readonly firstWaits: boolean;
  readonly newestWaits: boolean;
}

/** What settlement is decided from. */
export interface SettlementFacts {
  readonly ordered: readonly Observation[];
  readonly spells: readonly Spell[];
  readonly invoices: readonly Invoice[];
  readonly checkouts: readonly CheckoutObservation[];
}

/** Payment before access (DESIGN 8): walks the spells in order and says which one access follows. */
export function settle(facts: SettlementFacts, policy: AccessPolicy): Settlement {
  const [first, ...later] = facts.spells;
  if (first === undefined) {
    return { settled: null, first: null, newest: null, firstWaits: false, newestWaits: false };
  }
  const firstWaits = firstSpellWaits(first, facts, policy);
  let settled = firstWaits ? null : first;
  for (const spell of later) {
    const isSettled = firstWaits
      ? isPaidFor(spell, facts.invoices)
      : laterSpellIsSettled(spell, settled, facts.invoices, policy);
    if (isSettled) settled = spell;
  }
  const newest = facts.spells.at(-1) ?? first;
  return { settled, first, newest, firstWaits, newestWaits: settled !== newest };
}

/** Whether a paid invoice has a line that pays for this spell. */
export function isPaidFor(spell: Spell, invoices: readonly Invoice[]): boolean {
  const price = spell.of?.item.price;
  if (price === undefined) return true;
  return paidLines(invoices).some(
    ({ invoice, line }) =>
      line.price === price &&
      line.periodEnd !== null &&
      line.periodEnd > spell.begin &&
      invoice.data.created >= spell.named - INVOICE_SLACK_SECONDS,
  );
}

function laterSpellIsSettled(
  spell: Spell,
  settled: Spell | null,
  invoices: readonly Invoice[],
  policy: AccessPolicy,
): boolean {
  if (spell.of === null || !policy.requirePaymentForUpgrade || spell.trialing) return true;
  if (settled !== null && rankOf(spell) <= rankOf(settled)) return true;
  return asksNothingInAdvance(spell.of.item) || isPaidFor(spell, invoices);
}

/** The first spell is settled, except where the policy says that delayed money must arrive first. */
function firstSpellWaits(first: Spell, facts: SettlementFacts, policy: AccessPolicy): boolean {
  if (first.of === null || asksNothingInAdvance(first.of.item)) return false;
  const awaited = awaitsInvoice(facts, policy) || awaitsDelayedPayment(facts, policy);
  if (!awaited) return false;
  const succeeded = facts.checkouts.some((checkout) => checkout.type === 'CheckoutPaymentSucceeded');
  return !succeeded && !isPaidFor(first, facts.invoices);
}

function awaitsInvoice({ ordered }: SettlementFacts, policy: AccessPolicy): boolean {
  const known = ordered[0];
  return (
    policy.sendInvoice === 'onPaid' &&
    known?.stripeType === 'customer.subscription.created' &&
    known.data.collectionMethod === 'send_invoice'
  );
}

function awaitsDelayedPayment({ checkouts }: SettlementFacts, policy: AccessPolicy): boolean {
  return (
    policy.delayedPayment === 'onPaid' &&
    checkouts.some(
      (checkout) => checkout.type === 'CheckoutCompleted' && checkout.data.paymentStatus === 'unpaid',
    )
  );
}
