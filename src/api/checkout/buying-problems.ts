import type { ProblemCode } from '../../http/problem.js';

/** What may stand against anything that is bought or changed at Stripe, whatever it is. */
export const BUYING_PROBLEMS = [
  'checkout_in_progress',
  'checkout_not_ready',
  'payload_too_large',
  'unsupported_media_type',
  'stripe_refused',
  'too_many_requests',
  'stripe_api_key_missing',
  'stripe_unavailable',
  'read_model_not_ready',
  'event_store_unavailable',
  'log_replaced',
  'clock_differs',
  'database_unavailable',
  'invalid_request',
  'unsupported_parameter',
  'malformed_json',
  'invalid_user_id',
  'unknown_plan',
  'unknown_interval',
  'unknown_addon',
  'not_for_sale',
] as const satisfies readonly ProblemCode[];
