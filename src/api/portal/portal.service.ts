import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ProblemError } from '../../http/problem.js';
import type { BuyerReader } from '../../projections/read-models/buyer.reader.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import type { UserFactsReader } from '../../projections/read-models/user-facts.reader.js';
import type { PortalConfigurations } from '../../stripe/gateway/portal-configurations.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import { StripeRefusedError, written } from '../../stripe/gateway/written.js';
import { PATIENCE_MS } from '../checkout/stripe-writes.js';
import type { PortalRequest, PortalResponse } from './portal.schemas.js';

export interface PortalServiceOptions {
  readonly reader: Pick<EntitlementReader, 'read'>;
  readonly facts: Pick<UserFactsReader, 'subscriptions'>;
  readonly buyers: Pick<BuyerReader, 'customersOf'>;
  /** `null`: there is no key of Stripe's API. */
  readonly gateway: Pick<StripeGateway, 'write'> | null;
  readonly configurations: PortalConfigurations | null;
  /** Origins that the portal may lead back to. */
  readonly origins: readonly string[];
}

const sessionSchema = z.looseObject({ id: z.string(), url: z.string() });

/** Ways into Stripe's customer portal. It makes no customer, and lets nobody change a plan: that is what Tenure's routes are for. */
export class PortalService {
  constructor(private readonly options: PortalServiceOptions) {}

  /** @throws ProblemError `url_not_allowed`, `no_customer`, `stripe_api_key_missing`; StripeRefusedError, StripeUnansweredError */
  async open({ userId, returnUrl }: PortalRequest): Promise<PortalResponse> {
    const { origins, gateway, configurations } = this.options;
    if (!origins.includes(new URL(returnUrl).origin)) {
      throw new ProblemError('url_not_allowed', 'returnUrl is of no origin that CHECKOUT_URL_ORIGINS names.');
    }
    const customer = await this.#customerOf(userId);
    if (customer === null) throw noCustomer();
    if (gateway === null || configurations === null) {
      throw new ProblemError('stripe_api_key_missing', 'Set STRIPE_SECRET_KEY.');
    }
    const params = { customer, configuration: await configurations.plain(), return_url: returnUrl };
    // Each is used once, so each is another one.
    const write = { method: 'POST', path: '/v1/billing_portal/sessions', params } as const;
    const { object } = await written(gateway, { ...write, idempotencyKey: randomUUID() }, PATIENCE_MS).catch(
      (error: unknown) => {
        throw isCustomerGone(error) ? noCustomer() : error;
      },
    );
    const { id, url } = sessionSchema.parse(object);
    return { sessionId: id, url };
  }

  /**
   * The customer of what gives the plan, else of the subscription that was seen last, else any that is the user's; none that
   * Stripe has deleted. `null` where there is none.
   */
  async #customerOf(userId: string): Promise<string | null> {
    const { reader, facts, buyers } = this.options;
    const { source } = (await reader.read(userId)).snapshot;
    const paying = source === null || source.type === 'grant' ? null : source.customerId;
    const [subscriptions, known] = await Promise.all([
      facts.subscriptions(userId),
      buyers.customersOf(userId),
    ]);
    const seen = [...subscriptions].sort(
      (a, b) => (b.seenAt ?? '').localeCompare(a.seenAt ?? '') || (a.subscription < b.subscription ? -1 : 1),
    );
    const deleted = new Set(known.filter(({ isDeleted }) => isDeleted).map(({ customer }) => customer));
    const inOrder = [
      paying,
      ...seen.map(({ customer }) => customer),
      ...known.map(({ customer }) => customer),
    ];
    return inOrder.find((customer) => customer !== null && !deleted.has(customer)) ?? null;
  }
}

function noCustomer(): ProblemError {
  return new ProblemError('no_customer', 'The user has no customer at Stripe.');
}

/** Whether Stripe has deleted the customer, and its webhook has not told it here yet. */
function isCustomerGone(error: unknown): boolean {
  if (!(error instanceof StripeRefusedError)) return false;
  const { code, param } = error.refusal;
  return code === 'resource_missing' && param === 'customer';
}
