import type { PurchaseRule } from '../purchases.js';
import type { PolicyRule } from './policy-rule.js';

/** The rules that decide what one purchase gives, by code. */
export const PURCHASE_RULES = {
  purchase_paid: {
    title: 'A plan that was bought once is kept for good',
    words: '{purchase} sold {plans} on {boughtOn:day}, once and for good.',
    given: 'pro is bought for good on 1 November, and paid.',
    example: 'cs_1 sold pro on 1 November 2026, once and for good.',
  },
  purchase_awaits_payment: {
    title: 'A purchase whose money has not arrived gives nothing',
    words: '{purchase} was completed on {completedOn:day}, and its money has not arrived.',
    given: 'pro is bought for good by a bank debit.',
    example: 'cs_1 was completed on 1 November 2026, and its money has not arrived.',
  },
  purchase_unknown: {
    title: 'A purchase of which nobody knows what it sold gives nothing',
    words: '{purchase} was paid on {boughtOn:day}, and nothing tells yet what it sold.',
    given: 'a session of mode payment is paid, and its line items are not known.',
    example: 'cs_1 was paid on 1 November 2026, and nothing tells yet what it sold.',
  },
  purchase_without_plan: {
    title: 'A purchase of something else gives nothing',
    words:
      '{purchase} was paid on {boughtOn:day}, and sold no plan of the catalogue for good[: the dispute {dispute} of it takes nothing].',
    given: 'a session of mode payment sells something that is no `lifetime` price of a plan.',
    example: 'cs_1 was paid on 1 November 2026, and sold no plan of the catalogue for good.',
  },
  purchase_disputed: {
    title: 'A disputed purchase gives nothing',
    words: '{purchase}, which sold {plans} on {boughtOn:day}, was taken back by the dispute {dispute}.',
    given: 'pro is bought for good on 1 November, and the payment is disputed.',
    example: 'cs_1, which sold pro on 1 November 2026, was taken back by the dispute du_1.',
  },
  purchase_refunded: {
    title: 'A purchase that was refunded in full gives nothing',
    words: '{purchase}, which sold {plans} on {boughtOn:day}, was refunded in full on {refundedOn:day}.',
    given: 'pro is bought for good on 1 November, and refunded on 3 November.',
    example: 'cs_1, which sold pro on 1 November 2026, was refunded in full on 3 November 2026.',
  },
} as const satisfies Readonly<Record<PurchaseRule, PolicyRule>>;
