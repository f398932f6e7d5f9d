import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { TEST_METHODS } from '../test-cards.js';
import type { Charge, Metadata, Refund } from '../types.js';
import { closeWarnings } from './disputes.js';

const DAY = 86_400;

export interface RefundToMake {
  readonly charge: Charge;
  /** `null` gives back all that is left. */
  readonly amount: number | null;
  readonly reason: Refund['reason'];
  readonly metadata: Metadata;
}

/** Gives money back. The test card decides whether it arrives at once, later, or comes back as failed. @throws ApiError 400 */
export function createRefund(account: Account, wanted: RefundToMake): Refund {
  const { charge } = wanted;
  const left = charge.amount_captured - charge.amount_refunded;
  if (charge.status !== 'succeeded') {
    throw invalidRequest(`Charge ${charge.id} has not been paid and cannot be refunded.`, {
      param: 'charge',
    });
  }
  if (left <= 0) {
    throw invalidRequest(`Charge ${charge.id} has already been refunded.`, {
      code: 'charge_already_refunded',
    });
  }
  if (charge.disputed && isWithdrawn(account, charge)) {
    throw invalidRequest(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    });
  }
  const amount = wanted.amount ?? left;
  if (amount > left || amount <= 0) {
    throw invalidRequest(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, {
      param: 'amount',
    });
  }
  const test = TEST_METHODS[account.tokens.get(charge.payment_method ?? '') ?? ''];
  const course = test?.kind === 'card' ? test.refund : 'pending';
  const refund: Refund = {
    id: account.ids.next('re'),
    object: 'refund',
    amount,
    balance_transaction: account.ids.next('txn'),
    charge: charge.id,
    created: account.now,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    metadata: wanted.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: wanted.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: course === 'pending' ? 'pending' : 'succeeded',
    transfer_reversal: null,
  };
  account.add(account.refunds, refund, 'refund.created');
  const refunded = charge.amount_refunded + amount;
  const changed = account.change(
    account.charges,
    charge.id,
    { amount_refunded: refunded, refunded: refunded === charge.amount_captured },
    'charge.refunded',
  );
  if (changed.refunded) closeWarnings(account, changed);
  if (course === 'pending') account.at(account.now + 2 * DAY, () => arrive(account, refund.id));
  if (course === 'fails')
    account.at(account.now + 2 * DAY, () => failRefund(account, refund.id, 'expired_or_canceled_card'));
  return refund;
}

function isWithdrawn(account: Account, charge: Charge): boolean {
  const disputes = account.disputes.select({ by: ['charge', charge.id] });
  return [...disputes].some(({ is_charge_refundable }) => !is_charge_refundable);
}

function arrive(account: Account, id: string): void {
  if (account.refunds.find(id)?.status === 'pending') changeRefund(account, id, { status: 'succeeded' });
}

function changeRefund(account: Account, id: string, changes: Partial<Refund>): Refund {
  const changed = account.change(account.refunds, id, changes, 'refund.updated');
  account.emit('charge.refund.updated', changed);
  return changed;
}

/** The buyer's bank sends the money back; the charge counts as not refunded by so much. @throws ApiError 400 */
export function failRefund(account: Account, id: string, reason: string): Refund {
  const refund = account.refunds.find(id);
  if (refund === undefined || refund.status === 'failed' || refund.status === 'canceled') {
    throw invalidRequest(`Refund ${id} cannot fail.`);
  }
  const failed = changeRefund(account, id, { status: 'failed', failure_reason: reason });
  account.emit('refund.failed', failed);
  const charge = account.charges.find(refund.charge ?? '');
  if (charge !== undefined) {
    const changes = { amount_refunded: charge.amount_refunded - refund.amount, refunded: false };
    account.change(account.charges, charge.id, changes, 'charge.updated');
  }
  return failed;
}
