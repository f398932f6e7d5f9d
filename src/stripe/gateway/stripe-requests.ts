import { setTimeout as pause } from 'node:timers/promises';
import Stripe from 'stripe';
import type { z } from 'zod';
import type { StripeOutcome } from '../../observability/metrics.js';
import type { StripeIds } from '../../pseudonyms/stripe-ids.js';
import { answerSchema, objectSchema } from './answer-schemas.js';
import type { RequestBudget } from './request-pace.js';
import type { NoAnswer, ObjectAnswer, Refusal, StripeWrite } from './stripe-answers.js';
import { fetchUntil, hostOf, isTimeout, secondOf } from './stripe-transport.js';

export interface StripeRequestsOptions {
  readonly secretKey: string;
  /** Scheme, host and port of the API, `null` for Stripe's own. */
  readonly apiBase: string | null;
  /** Milliseconds one request may take, its body included. */
  readonly timeoutMs?: number;
  /** What may be asked in a second. */
  readonly budget: Pick<RequestBudget, 'take'>;
  /** Exchanges user ids on their way to and from Stripe; `null` or left out: they are the same inside. */
  readonly ids?: Pick<StripeIds, 'inwards' | 'outwards' | 'path'> | null;
  /** Hears how each request ended. */
  readonly onRequest: (outcome: StripeOutcome) => void;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Milliseconds after which a request that went wrong is worth another try. */
const AGAIN_IN_MS = 5_000;

/** No request went out: the second holds no more, nor do those that may be waited for. */
class HeldBackError extends Error {
  override readonly name = 'HeldBackError';
  constructor(readonly waitMs: number) {
    super('as much is asked of Stripe as may be');
  }
}

/** Single requests to Stripe's API through Stripe's own SDK, each in its turn. Nothing is asked twice. */
export class StripeRequests {
  readonly #stripe: Stripe;
  readonly #closing = new AbortController();

  constructor(private readonly options: StripeRequestsOptions) {
    const { secretKey, apiBase, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#stripe = new Stripe(secretKey, {
      ...(apiBase === null ? {} : hostOf(new URL(apiBase))),
      timeout: timeoutMs,
      maxNetworkRetries: 0,
      telemetry: false,
      httpClient: Stripe.createFetchHttpClient(fetchUntil(this.#closing.signal)),
    });
  }

  /** What is at a path, by its schema. @throws what the SDK and the schema throw; `noAnswerOf` tells what that means */
  get<Body extends Readonly<Record<string, unknown>>>(
    path: string,
    schema: z.ZodType<Body>,
    patienceMs: number,
  ): Promise<ObjectAnswer & { readonly object: Body }> {
    const { ids = null } = this.options;
    return this.#asked(path, schema, patienceMs, async () =>
      this.#stripe.rawRequest('GET', ids === null ? path : await ids.path(path)),
    );
  }

  /** Makes or changes something. @throws what the SDK throws; `refusalOf` and `noAnswerOf` tell what that means */
  send(
    { method, path, params = {}, idempotencyKey }: StripeWrite,
    patienceMs: number,
  ): Promise<ObjectAnswer> {
    const { ids = null } = this.options;
    return this.#asked(path, objectSchema, patienceMs, async () => {
      const own = ids === null ? params : await ids.outwards(params);
      return this.#stripe.rawRequest(method, path, method === 'POST' ? own : undefined, { idempotencyKey });
    });
  }

  /** What a request that threw is to whoever asked. */
  noAnswerOf(error: unknown): NoAnswer {
    const isStripes = error instanceof Stripe.errors.StripeError;
    return {
      outcome: this.#outcomeOf(error),
      status: isStripes ? (error.statusCode ?? null) : null,
      requestId: isStripes ? (error.requestId ?? null) : null,
      againInMs: error instanceof HeldBackError ? error.waitMs : AGAIN_IN_MS,
    };
  }

  /** Ends what is under way; it is answered `aborted`. */
  close(): void {
    this.#closing.abort();
  }

  /** One request, in its turn. The body as it came: the SDK's own methods make objects of the `*_decimal` strings. */
  async #asked<Body extends Readonly<Record<string, unknown>>>(
    path: string,
    schema: z.ZodType<Body>,
    patienceMs: number,
    request: () => Promise<unknown>,
  ): Promise<ObjectAnswer & { readonly object: Body }> {
    const { onRequest, ids = null } = this.options;
    try {
      await this.#turn(path, patienceMs);
      const found = await request();
      const { headers } = answerSchema.parse(found).lastResponse;
      const answered = {
        outcome: 'answered',
        object: schema.parse(ids === null ? found : await ids.inwards(found)),
        answeredAt: secondOf(headers.get('date')),
        apiVersion: headers.get('stripe-version'),
      } as const;
      onRequest('answered');
      return answered;
    } catch (error) {
      onRequest(this.#outcomeOf(error));
      throw error;
    }
  }

  /** @throws HeldBackError, and what an aborted wait throws */
  async #turn(path: string, patienceMs: number): Promise<void> {
    const { taken, waitMs } = this.options.budget.take(endpointOf(path), patienceMs);
    if (!taken) throw new HeldBackError(waitMs);
    if (waitMs > 0) await pause(waitMs, undefined, { signal: this.#closing.signal });
  }

  #outcomeOf(error: unknown): Exclude<StripeOutcome, 'answered'> {
    if (this.#closing.signal.aborted) return 'aborted';
    if (error instanceof HeldBackError) return 'held_back';
    if (error instanceof Stripe.errors.StripeRateLimitError) return 'rate_limited';
    if (error instanceof Stripe.errors.StripeConnectionError && isTimeout(error.detail)) return 'timed_out';
    if (error instanceof Stripe.errors.StripeError && error.statusCode === 404) return 'not_found';
    return 'failed';
  }
}

/** What Stripe refused for good, told by its status; `null` of what may pass, or whose outcome is not known. */
export function refusalOf(error: unknown): Refusal | null {
  if (!(error instanceof Stripe.errors.StripeError)) return null;
  const { statusCode: status, requestId = null, code = null, param = null } = error;
  if (status === undefined || status < 400 || status >= 500) return null;
  // What is asked too often, a key in use and a bad key of ours say nothing of the request (Stripe: "Errors").
  if ([401, 403, 409, 429].includes(status)) return null;
  return { outcome: 'refused', status, requestId, code, param };
}

/** The endpoint that Stripe counts a request to: `/v1/subscriptions/sub_1` is one to `subscriptions`. */
function endpointOf(path: string): string {
  return path.split(/[/?]/)[2] ?? path;
}
