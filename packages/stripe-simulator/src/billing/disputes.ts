import type { Account } from '../account.js';
import { invalidRequest } from '../api-error.js';
import { TEST_METHODS } from '../test-cards.js';
import type { Charge, Dispute, EarlyFraudWarning } from '../types.js';

const DAY = 86_400;
/** Days in which a dispute must be answered, and after which an inquiry closes by itself (Stripe: "How disputes work"). */
const DUE_DAYS = 9;
const INQUIRY_DAYS = 120;

export interface DisputeToMake {
  readonly charge: Charge;
  /** `null` disputes the whole charge. */
  readonly amount: number | null;
  readonly reason: string;
  /** An inquiry takes no money yet; one that was prevented was settled with the buyer, by a resolution that gave the money back or by a block that did not. */
  readonly kind: 'chargeback' | 'inquiry' | 'resolution' | 'block';
}

const NO_EVIDENCE: Dispute['evidence'] = {
  access_activity_log: null,
  appeal: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};

const FIRST_STATUS = {
  chargeback: 'needs_response',
  inquiry: 'warning_needs_response',
  resolution: 'prevented',
  block: 'prevented',
} as const;

/** The buyer's bank disputes a charge; a chargeback takes the money at once. @throws ApiError 400 */
export function createDispute(account: Account, { charge, amount, reason, kind }: DisputeToMake): Dispute {
  if (charge.status !== 'succeeded') throw invalidRequest(`Charge ${charge.id} has not been paid.`);
  const isOpen = kind === 'chargeback' || kind === 'inquiry';
  const dueDays = kind === 'inquiry' ? INQUIRY_DAYS : DUE_DAYS;
  const dispute: Dispute = {
    id: account.ids.next('du'),
    object: 'dispute',
    amount: amount ?? charge.amount,
    balance_transactions: [],
    charge: charge.id,
    created: account.now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: isOpen ? account.now + dueDays * DAY : null,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: kind === 'inquiry',
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: { brand: 'visa', case_type: kind, network: 'visa', network_reason_code: '10.4' },
      type: 'card',
    },
    reason,
    status: FIRST_STATUS[kind],
  };
  account.add(account.disputes, dispute, 'charge.dispute.created');
  account.change(account.charges, charge.id, { disputed: true }, 'charge.updated');
  closeWarnings(account, charge);
  if (kind === 'chargeback' || kind === 'resolution') account.emit('charge.dispute.funds_withdrawn', dispute);
  if (!isOpen) account.emit('charge.dispute.closed', dispute);
  else account.at(account.now + dueDays * DAY, () => unanswered(account, dispute.id));
  return dispute;
}

/** Nobody answered in time: a chargeback is lost, an inquiry forgotten. */
function unanswered(account: Account, id: string): void {
  const { status } = account.disputes.find(id) ?? {};
  if (status === 'needs_response') moveDispute(account, id, 'lost');
  if (status === 'warning_needs_response') moveDispute(account, id, 'warning_closed');
}

type Status = Dispute['status'];

const NEXT: Readonly<Partial<Record<Status, readonly Status[]>>> = {
  warning_needs_response: ['warning_under_review', 'warning_closed', 'needs_response'],
  warning_under_review: ['warning_closed', 'needs_response'],
  needs_response: ['under_review', 'lost', 'won'],
  under_review: ['won', 'lost'],
  lost: ['appeal_needs_response', 'appeal_under_review', 'won'],
  won: ['lost'],
  appeal_needs_response: ['appeal_under_review', 'lost', 'won'],
  appeal_under_review: ['won', 'lost'],
};

const CLOSED: ReadonlySet<Status> = new Set(['won', 'lost', 'warning_closed']);

/** Takes a dispute on, with the events that tell of it and of the money. @throws ApiError 400 for a step that there is not */
export function moveDispute(account: Account, id: string, status: Status): Dispute {
  const before = account.disputes.find(id);
  if (before === undefined || NEXT[before.status]?.includes(status) !== true) {
    throw invalidRequest(`A dispute that is ${before?.status} does not become ${status}.`);
  }
  const isEscalated = before.status.startsWith('warning_') && status === 'needs_response';
  const type = CLOSED.has(status) ? 'charge.dispute.closed' : 'charge.dispute.updated';
  const details = before.payment_method_details;
  const card = details?.card;
  const after = account.change(
    account.disputes,
    id,
    {
      status,
      ...(isEscalated ? { is_charge_refundable: false } : {}),
      ...(isEscalated && details !== undefined && card !== undefined
        ? { payment_method_details: { ...details, card: { ...card, case_type: 'chargeback' as const } } }
        : {}),
    },
    type,
  );
  if (isEscalated || (before.status === 'won' && status === 'lost'))
    account.emit('charge.dispute.funds_withdrawn', after);
  if (isEscalated) account.at(account.now + DUE_DAYS * DAY, () => unanswered(account, id));
  if (status === 'won') account.emit('charge.dispute.funds_reinstated', after);
  return after;
}

/** A bank warns that a charge may be fraud; nothing is taken. */
export function createEarlyFraudWarning(account: Account, charge: Charge): EarlyFraudWarning {
  const warning: EarlyFraudWarning = {
    id: account.ids.next('issfr'),
    object: 'radar.early_fraud_warning',
    actionable: !charge.refunded && !charge.disputed,
    charge: charge.id,
    created: account.now,
    fraud_type: 'made_with_stolen_card',
    livemode: false,
    ...(charge.payment_intent === null ? {} : { payment_intent: charge.payment_intent }),
  };
  return account.add(account.earlyFraudWarnings, warning, 'radar.early_fraud_warning.created');
}

/** A warning can be acted on until its charge is disputed or all given back. */
export function closeWarnings(account: Account, charge: Charge): void {
  for (const warning of account.earlyFraudWarnings.select({ by: ['charge', charge.id] })) {
    account.change(
      account.earlyFraudWarnings,
      warning.id,
      { actionable: false },
      'radar.early_fraud_warning.updated',
    );
  }
}

/** Lets test cards have the disputes and warnings that they stand for. */
export function followDisputes(account: Account): void {
  account.react((happening) => {
    if (happening.kind !== 'charge_succeeded') return;
    const { charge } = happening;
    const test = TEST_METHODS[account.tokens.get(charge.payment_method ?? '') ?? ''];
    if (test?.kind !== 'card') return;
    if (test.earlyFraudWarning) createEarlyFraudWarning(account, charge);
    if (test.dispute === null) return;
    const isInquiry = test.dispute === 'inquiry';
    createDispute(account, {
      charge,
      amount: null,
      reason: isInquiry ? 'fraudulent' : test.dispute,
      kind: isInquiry ? 'inquiry' : 'chargeback',
    });
  });
}
