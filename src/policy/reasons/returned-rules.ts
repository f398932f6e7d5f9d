import type { KeptRule, TakenBackRule } from '../taken-back.js';
import type { PolicyRule } from './policy-rule.js';

/** Codes of the rules that decide of an invoice whose money was asked back. */
export type ReturnedCode = `invoice_${TakenBackRule}` | KeptRule;

/** The rules that decide whether an invoice of which something was refunded or disputed is taken back, by code. */
export const RETURNED_RULES = {
  invoice_disputed: {
    title: 'An invoice is taken back by a dispute',
    words:
      'The invoice {invoice} of {on:day} counts as unpaid: it was taken back by the dispute {dispute} ({status}).',
    given: 'the payment of plus is disputed.',
    example:
      'The invoice in_1 of 1 November 2026 counts as unpaid: it was taken back by the dispute du_1 (needs_response).',
  },
  invoice_refunded_in_full: {
    title: 'An invoice is taken back by a full refund, and the policy suspends',
    words: 'The invoice {invoice} of {on:day} counts as unpaid: it was refunded in full.',
    given: 'the payment of plus is refunded in full, under `fullRefund: suspend`.',
    example: 'The invoice in_1 of 1 November 2026 counts as unpaid: it was refunded in full.',
  },
  dispute_takes_nothing: {
    title: 'A dispute that takes no money',
    words:
      'The invoice {invoice} of {on:day} stays paid: its dispute {dispute} is {status}, which takes nothing.',
    given: 'the bank asks about the payment of plus, and disputes nothing yet.',
    example:
      'The invoice in_1 of 1 November 2026 stays paid: its dispute du_1 is warning_needs_response, which takes nothing.',
  },
  dispute_kept: {
    title: 'The policy takes nothing for a dispute',
    words:
      'The invoice {invoice} of {on:day} stays paid: its dispute {dispute} is {status}, and the policy keeps what is disputed.',
    given: 'the payment of plus is disputed, under `dispute: keep` and `fullRefund: suspend`.',
    example:
      'The invoice in_1 of 1 November 2026 stays paid: its dispute du_1 is needs_response, and the policy keeps what is disputed.',
  },
  part_asked_back: {
    title: 'A part of a payment is asked back',
    words:
      'The invoice {invoice} of {on:day} stays paid: the dispute {dispute} ({status}) and its refunds ask back {askedBack} of {paid}, less than nine tenths.',
    given: 'a fifth of what plus cost is disputed.',
    example:
      'The invoice in_1 of 1 November 2026 stays paid: the dispute du_1 (needs_response) and its refunds ask back 200 of 1000, less than nine tenths.',
  },
  refund_kept: {
    title: 'The policy takes nothing for a full refund',
    words:
      'The invoice {invoice} of {on:day} stays paid: it was refunded in full, and the policy keeps what was refunded.',
    given: 'the payment of plus is refunded in full.',
    example:
      'The invoice in_1 of 1 November 2026 stays paid: it was refunded in full, and the policy keeps what was refunded.',
  },
  part_refunded: {
    title: 'A refund of a part, or one that failed',
    words: 'The invoice {invoice} of {on:day} stays paid: not all of it was refunded.',
    given: 'a part of what plus cost is refunded.',
    example: 'The invoice in_1 of 1 November 2026 stays paid: not all of it was refunded.',
  },
} as const satisfies Readonly<Record<ReturnedCode, PolicyRule>>;
