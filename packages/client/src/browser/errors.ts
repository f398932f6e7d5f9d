/**
 * Why a request gave no answer. `code` is that of the service's problem, or one of the client's own: `unreachable`,
 * `deadline`, `aborted`, `malformed_answer`, `other_user` (the answer is about another user than the one signed in),
 * `signed_out`.
 */
export class TenureError extends Error {
  override readonly name = 'TenureError';

  constructor(
    readonly code: string,
    message: string,
    /** Status of the answer, if there was one. */
    readonly httpStatus: number | null = null,
    /** Time that the service asks to be left alone for. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(message);
  }
}

/** A fault of whatever kind, as one of the client's. */
export function asTenureError(error: unknown): TenureError {
  if (error instanceof TenureError) return error;
  return new TenureError('unreachable', error instanceof Error ? error.message : String(error));
}
