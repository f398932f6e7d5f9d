import { setTimeout as pause } from 'node:timers/promises';
import { NamedError } from '../../observability/named-error.js';
import type { StripeObjectRef } from './object-kind.js';
import type { StripeGateway } from './stripe.gateway.js';
import type { ListedObject, NoAnswer, ObjectAnswer, PageAnswer } from './stripe-answers.js';

/** Times that one page is asked for before its list is given up. */
const TRIES = 5;

/** Stripe did not answer, or refused. The message names the status and Stripe's request, what a restricted key lacks, and nothing that Stripe wrote. */
export class StripeUnansweredError extends NamedError {
  readonly code = 'stripe_unanswered';
  constructor(
    readonly path: string,
    readonly answer: NoAnswer,
    method: 'GET' | 'POST' | 'DELETE' = 'GET',
  ) {
    const { outcome, status, requestId } = answer;
    const request = requestId === null ? '' : ` (${requestId})`;
    const lacks = `: STRIPE_SECRET_KEY may not ${method === 'GET' ? 'read' : 'write'} that; allow it to the restricted key`;
    super(
      status === null
        ? `Stripe did not answer ${method} ${path}: ${outcome}`
        : `Stripe answered ${method} ${path} with ${status}${request}${status === 403 ? lacks : ''}`,
    );
  }
}

/**
 * All objects of a list, page by page, in Stripe's order. A page that does not come is asked for again a few times.
 * @param path such as `/v1/prices`; `query` without `limit` and `starting_after`
 * @throws StripeUnansweredError
 */
export async function* listed(
  gateway: Pick<StripeGateway, 'page'>,
  path: string,
  query: Readonly<Record<string, string>> = {},
): AsyncGenerator<ListedObject> {
  let after: string | null = null;
  for (;;) {
    const { objects, hasMore } = await pageOf(gateway, path, {
      ...query,
      ...(after === null ? {} : { starting_after: after }),
    });
    yield* objects;
    after = objects.at(-1)?.id ?? null;
    if (!hasMore || after === null) return;
  }
}

/** A list as a whole: see `listed`. @throws StripeUnansweredError */
export async function allListed(
  gateway: Pick<StripeGateway, 'page'>,
  path: string,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly ListedObject[]> {
  const all: ListedObject[] = [];
  for await (const object of listed(gateway, path, query)) all.push(object);
  return all;
}

/** The first page of a list, asked for again where that may help. @throws StripeUnansweredError */
export function pageOf(
  gateway: Pick<StripeGateway, 'page'>,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<PageAnswer> {
  return askedAgain(path, () => gateway.page(path, query));
}

/** An object, asked for again where that may help; `null` where Stripe has none of this id. @throws StripeUnansweredError */
export async function objectOf(
  gateway: Pick<StripeGateway, 'object'>,
  about: StripeObjectRef,
): Promise<ObjectAnswer | null> {
  try {
    return await askedAgain(`${about.kind} ${about.id}`, () => gateway.object(about));
  } catch (error) {
    if (error instanceof StripeUnansweredError && error.answer.outcome === 'not_found') return null;
    throw error;
  }
}

/** The id of the account that the key is of; `null` where the key may not ask for it. @throws StripeUnansweredError */
export async function accountOf(gateway: Pick<StripeGateway, 'account'>): Promise<string | null> {
  try {
    const { object } = await askedAgain('/v1/account', () => gateway.account());
    return String(object.id);
  } catch (error) {
    if (isRefusedByStripe(error)) return null;
    throw error;
  }
}

/** What Stripe answers, asked again where that may help. @throws StripeUnansweredError */
async function askedAgain<Answer extends { readonly outcome: 'answered' }>(
  what: string,
  ask: () => Promise<Answer | NoAnswer>,
): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.outcome === 'answered') return answer;
    if (tries === TRIES || !mayComeLater(answer)) throw new StripeUnansweredError(what, answer);
    await pause(answer.againInMs);
  }
}

/** What Stripe refuses stays refused; what it does not answer, or puts off, may come later. */
export function isRefusedByStripe(error: unknown): error is StripeUnansweredError {
  if (!(error instanceof StripeUnansweredError)) return false;
  return error.answer.status !== null && !mayComeLater(error.answer);
}

/** What Stripe refused stays refused, but for 429 (Stripe: "Errors"). */
function mayComeLater({ outcome, status }: NoAnswer): boolean {
  return outcome !== 'aborted' && (status === null || status === 429 || status >= 500);
}
