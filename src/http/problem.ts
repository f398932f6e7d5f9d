import { NamedError } from '../observability/named-error.js';

/**
 * Every error this service can answer with: its stable code, HTTP status and title (RFC 9457). The OpenAPI document is
 * made from the same table, so what is documented is what is sent.
 */
export const PROBLEMS = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_user_id: { status: 400, title: 'The user id is not valid' },
  unsupported_parameter: { status: 400, title: 'A query parameter is not supported' },
  malformed_url: { status: 400, title: 'The URL cannot be decoded' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_signature: { status: 400, title: 'The webhook signature is not valid' },
  unauthorized: { status: 401, title: 'A valid key or token is required' },
  forbidden: { status: 403, title: 'The key lacks the scope' },
  access_denied: { status: 403, title: 'The user may not do that' },
  other_user: { status: 403, title: 'The token is of another user' },
  PAID_UPGRADE_REQUIRED: { status: 403, title: 'It is more than what is held, and is paid for first' },
  unknown_generation: { status: 404, title: 'There is no such generation' },
  no_customer: { status: 404, title: 'The user has no customer at Stripe' },
  not_found: { status: 404, title: 'No such resource' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  rebuild_in_progress: { status: 409, title: 'A rebuild is under way' },
  generation_is_live: { status: 409, title: 'The generation is the one that is read' },
  generation_faulted: { status: 409, title: 'The generation stopped at an event' },
  build_of_other_code: { status: 409, title: 'Other code began the build' },
  verification_in_progress: { status: 409, title: 'A verification is under way' },
  nothing_to_roll_back: { status: 409, title: 'There is nothing to go back to' },
  import_in_progress: { status: 409, title: 'An import is under way' },
  reconciliation_in_progress: { status: 409, title: 'A reconciliation is under way' },
  stripe_key_missing: { status: 409, title: 'There is no key of Stripe’s API' },
  idempotency_key_in_use: { status: 409, title: 'The first request with this key is under way' },
  plan_not_by_subscription: { status: 409, title: 'No subscription gives the plan' },
  QUOTA_EXCEEDED: { status: 409, title: 'More is used than would be allowed' },
  more_in_part: { status: 409, title: 'Part of it is more, and would not be paid first' },
  waits_for_period_end: { status: 409, title: 'It can only come at the end of the period' },
  no_fault: { status: 409, title: 'There is no fault to go past' },
  fault_elsewhere: { status: 409, title: 'The projection stands at another event' },
  rebuild_needed: { status: 409, title: 'The read models lack what this is answered by' },
  log_is_known: { status: 409, title: 'The log is the known one' },
  adoption_interrupted: { status: 409, title: 'The log became another one meanwhile' },
  no_catalog: { status: 409, title: 'No plan catalogue was published yet' },
  publication_under_way: { status: 409, title: 'Users are still judged by the last catalogue' },
  publication_would_fault: { status: 409, title: 'The catalogue would stop the projection' },
  not_for_sale: { status: 409, title: 'It is not for sale' },
  already_held: { status: 409, title: 'The user has it already' },
  plan_change_needed: { status: 409, title: 'It is less than what the user has' },
  not_by_sent_invoice: { status: 409, title: 'Sent invoices would not hold it back until it is paid' },
  payment_due: { status: 409, title: 'Another payment comes first' },
  trial_used: { status: 409, title: 'The user has had a subscription' },
  trial_not_offered: { status: 409, title: 'The plan offers no trial' },
  checkout_completed: { status: 409, title: 'A checkout was completed just now' },
  history_rebuilt: { status: 410, title: 'The history was built anew' },
  user_erased: { status: 410, title: 'The user was erased' },
  feed_reset: { status: 410, title: 'The feed goes on elsewhere: read it anew' },
  position_unknown: { status: 412, title: 'The log does not reach that position' },
  projection_behind: { status: 412, title: 'The read model has not reached that position' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported' },
  headers_too_large: { status: 431, title: 'The header of the request is too large' },
  unfit_text: { status: 422, title: 'What is said must not be kept for good' },
  unknown_limit: { status: 422, title: 'The plan catalogue has no such limit' },
  malformed_event: { status: 422, title: 'The Stripe event lacks what identifies it' },
  unknown_plan: { status: 422, title: 'The catalogue has no such plan' },
  unknown_interval: { status: 422, title: 'The plan is not sold by that interval' },
  unknown_addon: { status: 422, title: 'The catalogue has no such add-on' },
  unknown_key: { status: 422, title: 'The catalogue has no such feature or limit' },
  ends_before_start: { status: 422, title: 'It would end before it begins' },
  idempotency_key_reused: { status: 422, title: 'The key was used for another request' },
  url_not_allowed: { status: 422, title: 'The URL is of an origin that is not allowed' },
  stripe_refused: { status: 422, title: 'Stripe refused what was asked' },
  time_in_future: { status: 422, title: 'The moment is still to come' },
  conflicting_parameters: { status: 422, title: 'Parameters exclude each other' },
  too_many_failures: { status: 429, title: 'Too many failed attempts' },
  too_many_streams: { status: 429, title: 'Too many streams and waits of this user' },
  too_many_requests: { status: 429, title: 'Too many requests at once' },
  internal_error: { status: 500, title: 'Something went wrong here' },
  generation_behind: { status: 503, title: 'The generation is not level' },
  log_replaced: { status: 503, title: 'The log is not the one that is known' },
  clock_differs: { status: 503, title: 'The clock of this instance is wrong' },
  event_store_unavailable: { status: 503, title: 'The event store does not answer' },
  read_model_not_ready: { status: 503, title: 'The read model holds no plan catalogue yet' },
  too_many_waiting: { status: 503, title: 'Too many requests wait for a position' },
  streams_full: { status: 503, title: 'Too many streams and waits are open here' },
  user_keys_unavailable: { status: 503, title: 'The keys of user tokens cannot be had' },
  thin_events_need_api_key: { status: 503, title: 'Thin events need a key of Stripe’s API' },
  stripe_api_key_missing: { status: 503, title: 'It needs a key of Stripe’s API' },
  checkout_in_progress: { status: 503, title: 'Another checkout of the user is being started' },
  checkout_not_ready: { status: 503, title: 'The read model is behind the log' },
  stripe_unavailable: { status: 503, title: 'Stripe’s API does not answer' },
  database_unavailable: { status: 503, title: 'The database does not answer' },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** The body of every error (`application/problem+json`, RFC 9457). `code` is stable; `requestId` finds the log line. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly requestId: string;
  /** Members of a kind of problem (RFC 9457, 3.2), such as the limits that are exceeded. */
  readonly [member: string]: unknown;
}

/** A refusal with a stable code. `detail` goes to the caller, so it never holds a secret or what failed inside. */
export class ProblemError extends NamedError {
  /** What the body says beside the members that every problem has. */
  readonly members: Readonly<Record<string, unknown>>;
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    /** Headers that belong to the refusal, e.g. `retry-after` in seconds. */
    readonly headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions & { readonly members?: Readonly<Record<string, unknown>> },
  ) {
    super(detail, options);
    this.members = options?.members ?? {};
  }
  get status(): number {
    return PROBLEMS[this.code].status;
  }
  get title(): string {
    return PROBLEMS[this.code].title;
  }
}

/** DI token of the `ToProblem` of this process. */
export const TO_PROBLEM = Symbol('TO_PROBLEM');

/** Says which problem any thrown value is; what is not known is `internal_error`. */
export type ToProblem = (error: unknown) => ProblemError;

/** The URI that names a kind of problem (RFC 9457, "type"). */
export function problemType(code: ProblemCode): string {
  return `urn:tenure:problem:${code}`;
}

export function problemBody(problem: ProblemError, requestId: string): ProblemBody {
  const { status, title } = PROBLEMS[problem.code];
  return {
    type: problemType(problem.code),
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    requestId,
    ...problem.members,
  };
}
