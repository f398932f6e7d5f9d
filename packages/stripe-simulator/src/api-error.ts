/** What an error says beside its message (Stripe: "Errors"). */
export interface ApiErrorDetails {
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  /** Objects that come with the error, such as the payment intent of a declined payment. */
  readonly payment_intent?: object;
  readonly payment_method?: object;
}

export type ApiErrorType =
  | 'api_error'
  | 'card_error'
  | 'idempotency_error'
  | 'invalid_request_error'
  | 'rate_limit_error';

/** A request that Stripe would refuse; it is answered with this status and `{ error: { type, message, … } }`. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  constructor(
    readonly status: number,
    readonly type: ApiErrorType,
    message: string,
    readonly details: ApiErrorDetails = {},
  ) {
    super(message);
  }

  /** The body as Stripe words it. */
  body(requestId: string): object {
    return {
      error: {
        ...this.details,
        ...(this.details.code === undefined
          ? {}
          : { doc_url: `https://docs.stripe.com/error-codes#${this.details.code.replaceAll('_', '-')}` }),
        message: this.message,
        request_log_url: `https://dashboard.stripe.com/test/logs/${requestId}`,
        type: this.type,
      },
    };
  }
}

/** Refused before anything was begun, so no idempotency key remembers it: parameters, keys, limits, unknown paths. */
export class RefusedUnbegunError extends ApiError {}

/** A parameter that is missing, wrong, or makes no sense as things stand: 400. */
export function invalidRequest(message: string, details: ApiErrorDetails = {}): ApiError {
  return new ApiError(400, 'invalid_request_error', message, details);
}

/** An id in a path or a parameter that nothing has: 404 for what a path names, 400 for a parameter. */
export function resourceMissing(kind: string, id: string, param = 'id'): ApiError {
  const status = param === 'id' ? 404 : 400;
  const message = `No such ${kind}: '${id}'`;
  return new ApiError(status, 'invalid_request_error', message, { code: 'resource_missing', param });
}
