import type { InvoiceLine } from '../events/invoice.events.js';
import type { Observation } from './facts.js';
import { askedBy } from './invoices.js';
import { newestNotAfter } from './order.js';

/** The newest observation that is not after the creation of an invoice, by whether it says that it was in a trial. */
export interface Creation {
  readonly trial: Observation | null;
  readonly outOfTrial: Observation | null;
}

/** Whether a line pays; and the observation by which it was created in a trial or not, where that decides. */
export interface LinePayment extends Creation {
  readonly pays: boolean;
}

const PAYS: LinePayment = { pays: true, trial: null, outOfTrial: null };
const PAYS_NOT: LinePayment = { pays: false, trial: null, outOfTrial: null };

/**
 * Whether a line of a paid invoice pays for its price: positive; or nothing, by what is listed on it or by its tiers, and
 * not in a trial. Coupons, balances and money taken elsewhere are payments; $0 trial lines and credits are not.
 */
export function paymentBy(
  line: InvoiceLine,
  creation: () => Creation,
  isTiered: (price: string) => boolean,
): LinePayment {
  const value = askedBy(line);
  if (value !== 0) return value > 0 ? PAYS : PAYS_NOT;
  const { reduced, billingScheme, price } = line;
  if (!reduced && billingScheme !== 'tiered' && (price === null || !isTiered(price))) return PAYS_NOT;
  const { trial, outOfTrial } = creation();
  return { pays: trial === null, trial, outOfTrial };
}

/** By which observation an invoice was created in a trial or not: it was where that is trialing, with a later end. */
export function creationOf(created: number, ordered: readonly Observation[]): Creation {
  const seen = newestNotAfter(ordered, created);
  const { status, trialEnd } = seen?.data ?? { status: null, trialEnd: null };
  return status === 'trialing' && trialEnd !== null && trialEnd > created
    ? { trial: seen, outOfTrial: null }
    : { trial: null, outOfTrial: seen };
}
