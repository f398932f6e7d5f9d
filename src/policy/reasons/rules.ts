import { BY_HAND_RULES } from './by-hand-rules.js';
import { OWNER_RULES } from './owner-rules.js';
import type { PolicyRule } from './policy-rule.js';
import { PURCHASE_RULES } from './purchase-rules.js';
import { READING_RULES } from './reading-rules.js';
import { RETURNED_RULES } from './returned-rules.js';
import { SNAPSHOT_RULES } from './snapshot-rules.js';
import { SUBSCRIPTION_RULES } from './subscription-rules.js';

/** Codes of all rules of the access policy that are built; clients may rely on them. */
export type ReasonCode =
  | keyof typeof SUBSCRIPTION_RULES
  | keyof typeof READING_RULES
  | keyof typeof OWNER_RULES
  | keyof typeof RETURNED_RULES
  | keyof typeof PURCHASE_RULES
  | keyof typeof BY_HAND_RULES
  | keyof typeof SNAPSHOT_RULES;

/** How each rule tells itself, by its code. */
export const POLICY_RULES: Readonly<Record<ReasonCode, PolicyRule>> = {
  ...SUBSCRIPTION_RULES,
  ...READING_RULES,
  ...OWNER_RULES,
  ...RETURNED_RULES,
  ...PURCHASE_RULES,
  ...BY_HAND_RULES,
  ...SNAPSHOT_RULES,
};
