import { z } from 'zod';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { NoAnswer, StripeWrite } from '../../stripe/gateway/stripe-answers.js';
import { StripeUnansweredError } from '../../stripe/gateway/stripe-lists.js';
import { written } from '../../stripe/gateway/written.js';

/** Milliseconds that a request waits for its turn at Stripe: a person waits for the page. */
export const PATIENCE_MS = 5_000;

/** What Stripe made or changed, read by a schema. @throws StripeRefusedError, StripeUnansweredError */
export async function writtenAs<Shown>(
  gateway: Pick<StripeGateway, 'write'>,
  write: StripeWrite,
  schema: z.ZodType<Shown>,
): Promise<Shown> {
  const { object } = await written(gateway, write, PATIENCE_MS);
  return schema.parse(object);
}

/** An answer to what was asked at a path. @throws StripeUnansweredError */
export function answered<Answer extends { readonly outcome: 'answered' }>(
  path: string,
  answer: Answer | NoAnswer,
): Answer {
  if (isAnswered(answer)) return answer;
  throw new StripeUnansweredError(path, answer);
}

function isAnswered<Answer extends { readonly outcome: 'answered' }>(
  answer: Answer | NoAnswer,
): answer is Answer {
  return answer.outcome === 'answered';
}

/** An object with nothing but its id. */
export const idOnly = z.looseObject({ id: z.string() });
