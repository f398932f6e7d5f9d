import { z } from 'zod';
import { ProblemError } from '../../http/problem.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { PageAnswer } from '../../stripe/gateway/stripe-answers.js';
import { StripeRefusedError, written } from '../../stripe/gateway/written.js';
import type { CheckoutStatusResponse } from './checkout.schemas.js';
import { METADATA } from './session-params.js';
import { answered, PATIENCE_MS } from './stripe-writes.js';
import type { HeldLock } from './user-lock.js';

/** A checkout session as Stripe shows it, as far as a purchase asks. */
export const sessionSchema = z.looseObject({
  id: z.string(),
  status: z.string().nullish(),
  mode: z.string().nullish(),
  url: z.string().nullish(),
  client_secret: z.string().nullish(),
  expires_at: z.int(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
export type StripeSession = z.infer<typeof sessionSchema>;

/** The newest sessions of a customer that Tenure began. @throws StripeUnansweredError */
export async function sessionsOf(
  gateway: Pick<StripeGateway, 'page'>,
  customer: string,
): Promise<readonly StripeSession[]> {
  const path = '/v1/checkout/sessions';
  const answer = await gateway.page(path, { customer }, PATIENCE_MS);
  if (answer.outcome === 'not_found') return [];
  return z
    .array(sessionSchema)
    .parse(answered<PageAnswer>(path, answer).objects)
    .filter(({ metadata }) => metadata?.[METADATA.checkout] !== undefined);
}

/**
 * The open session of a choice; every other one is expired first, so that nobody pays twice.
 * @param key of the choice, `null` where none may stay open
 * @param lock made sure of before any is expired
 * @throws ProblemError `checkout_completed` where one was paid meanwhile
 */
export async function reuseOrExpire(
  gateway: Pick<StripeGateway, 'write' | 'object'>,
  sessions: readonly StripeSession[],
  key: string | null,
  lock: HeldLock,
): Promise<StripeSession | null> {
  const open = sessions.filter(({ status }) => status === 'open');
  const same =
    key === null ? null : (open.find(({ metadata }) => metadata?.[METADATA.choice] === key) ?? null);
  for (const session of open) {
    if (session === same) continue;
    await lock.confirm();
    await expire(gateway, session.id);
  }
  return same;
}

/**
 * Holds that what was bought once and for good is known with its money, or without it for good: nobody pays for it twice
 * because Tenure has not heard of the first time. Subscriptions are told apart by those that Stripe has.
 * @throws ProblemError `checkout_completed`
 */
export async function refuseUnrecorded(
  sessions: readonly StripeSession[],
  statusOf: (session: string) => Promise<CheckoutStatusResponse['status'] | null>,
): Promise<void> {
  const bought = sessions.filter(({ mode, status }) => mode === 'payment' && status === 'complete');
  for (const { id } of bought) {
    const reported = await statusOf(id);
    if (reported !== 'complete' && reported !== 'payment_failed') throw completed();
  }
}

async function expire(gateway: Pick<StripeGateway, 'write' | 'object'>, id: string): Promise<void> {
  const path = `/v1/checkout/sessions/${encodeURIComponent(id)}/expire`;
  try {
    await written(gateway, { method: 'POST', path, idempotencyKey: `tenure-expire-${id}` }, PATIENCE_MS);
    return;
  } catch (error) {
    if (!(error instanceof StripeRefusedError)) throw error;
  }
  const shown = answered(path, await gateway.object({ kind: 'checkout', id }, PATIENCE_MS));
  if (shown.object.status === 'expired') return;
  throw completed();
}

/** Something was bought that Tenure has not heard of yet. */
export function completed(): ProblemError {
  return new ProblemError(
    'checkout_completed',
    'A checkout of this user was completed just now. Look at its session, or send the request again.',
    { 'retry-after': '2' },
  );
}
