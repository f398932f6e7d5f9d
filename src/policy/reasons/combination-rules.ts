import type { PlanRule } from '../combine.js';
import type { PendingPaymentReason } from '../entitlement.js';
import type { GraceRule } from '../grace.js';
import type { EndRule } from '../status-rules.js';
import type { CancellationRule } from '../subscription-state.js';

/** What decides a part of a snapshot beside what single subscriptions give. */
export type CombinationRule =
  | PlanRule
  | GraceRule
  | EndRule
  | CancellationRule
  | `pending_${PendingPaymentReason}`
  | `feature_${'of_plan' | 'of_default_plan' | 'of_grant' | 'of_addon' | 'not_held'}`
  | `limit_${'of_plan' | 'of_default_plan' | 'per_unit' | 'of_grant' | 'with_addons' | 'not_held'}`
  | 'key_unknown'
  | 'past_due_while_paid'
  | 'nothing_to_say'
  | 'period_end_of_item'
  | 'end_of_paid_line'
  | 'paid_time_ends'
  | 'end_of_grant'
  | 'grant_ends'
  | 'grant_starts'
  | 'override_ends'
  | 'test_clock';
