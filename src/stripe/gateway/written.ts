import { NamedError } from '../../observability/named-error.js';
import type { StripeGateway } from './stripe.gateway.js';
import type { ObjectAnswer, Refusal, StripeWrite } from './stripe-answers.js';
import { StripeUnansweredError } from './stripe-lists.js';

/** Stripe refused something for good. The message names Stripe's code and request, and nothing that Stripe wrote. */
export class StripeRefusedError extends NamedError {
  readonly code = 'stripe_refused';
  constructor(
    readonly path: string,
    readonly refusal: Refusal,
  ) {
    const { status, code, requestId } = refusal;
    super(`Stripe refused ${path} with ${status} ${code ?? 'without a code'} (${requestId ?? 'no request'})`);
  }
}

/**
 * What was made or changed, as Stripe shows it then; see `StripeGateway.write`.
 * @throws StripeRefusedError, StripeUnansweredError
 */
export async function written(
  gateway: Pick<StripeGateway, 'write'>,
  write: StripeWrite,
  patienceMs?: number,
): Promise<ObjectAnswer> {
  const answer = await gateway.write(write, patienceMs);
  if (answer.outcome === 'answered') return answer;
  if (answer.outcome === 'refused') throw new StripeRefusedError(write.path, answer);
  throw new StripeUnansweredError(write.path, answer, write.method);
}
