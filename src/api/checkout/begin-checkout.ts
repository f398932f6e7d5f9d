import { randomUUID } from 'node:crypto';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { ClaimReading } from '../../events/user-id.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Buyer, BuyerReader } from '../../projections/read-models/buyer.reader.js';
import type { PortalConfigurations } from '../../stripe/gateway/portal-configurations.js';
import { readSoldPrice } from '../../stripe/gateway/sold-price.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { SoldPrices } from '../../stripe/prices/sold-prices.js';
import type { CheckoutRequest, CheckoutResponse } from './checkout.schemas.js';
import type { CheckoutRecord } from './checkout-record.js';
import type { BuyingUser, CustomerOfUser } from './customer-of-user.js';
import { choiceHeld, type Held, idOf } from './held.js';
import type { Offer } from './offer.js';
import { refuseUnrecorded, reuseOrExpire, sessionSchema, sessionsOf } from './open-sessions.js';
import { refuseHeld } from './refusals.js';
import { runningSubscriptions } from './running-subscriptions.js';
import { choiceKey, sessionParams } from './session-params.js';
import { PATIENCE_MS, writtenAs } from './stripe-writes.js';
import { trialDaysBy, trialDaysOf } from './trial.js';
import { beginUpgrade } from './upgrade.js';
import type { HeldLock } from './user-lock.js';
import { type PriceOf, type Wanted, wantedOf } from './wanted.js';

export interface BeginCheckoutOptions {
  readonly gateway: StripeGateway;
  readonly configurations: Pick<PortalConfigurations, 'upgrade'>;
  readonly customers: CustomerOfUser;
  readonly buyers: BuyerReader;
  readonly record: CheckoutRecord;
  readonly prices: Pick<SoldPrices, 'of'>;
  readonly userIds: ClaimReading;
}

/** What of a user a purchase begins from. */
export interface Known {
  readonly buyer: Buyer;
  readonly snapshot: Snapshot;
}

/** What is asked for, by whom and for whom. */
export interface Asked {
  readonly request: CheckoutRequest;
  readonly catalog: PlanCatalog;
  readonly offer: Offer;
  readonly user: BuyingUser;
  readonly actor: string;
}

/** Begins what is asked for at Stripe: a session of a purchase, or the upgrade of a subscription that runs. */
export class BeginCheckout {
  constructor(private readonly options: BeginCheckoutOptions) {}

  /** Begins it while the user's lock is held. @throws ProblemError, StripeRefusedError, StripeUnansweredError */
  async begin(asked: Asked, { buyer, snapshot }: Known, lock: HeldLock): Promise<CheckoutResponse> {
    const { gateway, record, buyers, userIds } = this.options;
    const { catalog, offer, request, user } = asked;
    const trialDays = trialDaysOf(request, offer, buyer);
    const found = await this.#customerOf(asked, { buyer, snapshot }, lock);
    const { customer, sessions } = found;
    await refuseUnrecorded(sessions, (session) => record.reportedStatus(session));
    const running = await runningSubscriptions(
      { gateway, buyers, userIdKey: userIds.userIdMetadataKey },
      { customer, listed: found.subscriptions, buyer, snapshot, catalog, userId: user.userId },
    );
    const priceOf = await this.#prices(asked, running.held);
    const wanted = wantedOf(catalog, request, offer, running.held, priceOf);
    const { interval } = wanted.choice;
    const isOnce = interval === 'once';
    const days = trialDaysBy(interval, request, trialDays);
    refuseHeld(wanted, running.held, snapshot, catalog);
    if (running.held !== null && !isOnce) {
      await reuseOrExpire(gateway, sessions, null, lock);
      return this.#upgrade(asked, wanted, running.held, lock);
    }
    const open = await reuseOrExpire(gateway, sessions, choiceKey(request, wanted, days), lock);
    const checkout = randomUUID();
    const parts = {
      request,
      wanted,
      customer,
      trialDays: days,
      options: catalog.checkout,
      userIdKey: userIds.userIdMetadataKey,
      checkout,
    };
    if (open === null) await lock.confirm();
    const session =
      open ??
      (await writtenAs(
        gateway,
        {
          method: 'POST',
          path: '/v1/checkout/sessions',
          params: sessionParams(parts),
          idempotencyKey: `tenure-checkout-${checkout}`,
        },
        sessionSchema,
      ));
    const ends = isOnce ? [...running.giving, ...running.stopped] : [...running.stopped];
    await record.started(user, asked.actor, wanted, {
      session: session.id,
      customer,
      purpose: 'purchase',
      mode: isOnce ? 'payment' : 'subscription',
      trialDays: days,
      subscription: null,
      ends,
      expiresAt: session.expires_at,
    });
    return {
      kind: 'checkout',
      sessionId: session.id,
      url: session.url ?? null,
      clientSecret: session.client_secret ?? null,
      expiresAt: new Date(session.expires_at * 1_000).toISOString(),
    };
  }

  /** The user's customer, with what Stripe shows of it; those that Stripe has deleted are recorded and passed over. */
  async #customerOf({ user }: Asked, { buyer, snapshot }: Known, lock: HeldLock) {
    const { gateway, customers } = this.options;
    const gone = buyer.customers.filter(({ isDeleted }) => isDeleted);
    const first =
      snapshot.source !== null && 'customerId' in snapshot.source ? snapshot.source.customerId : null;
    const there = buyer.customers
      .filter(({ isDeleted }) => !isDeleted)
      .sort((a, b) => Number(b.customer === first) - Number(a.customer === first));
    for (const known of there) {
      const { customer } = known;
      const [isThere, sessions, subscriptions] = await Promise.all([
        customers.stillThere(customer, user),
        sessionsOf(gateway, customer),
        gateway.page('/v1/subscriptions', { customer, 'expand[]': 'data.latest_invoice' }, PATIENCE_MS),
      ]);
      if (isThere) return { customer, sessions, subscriptions };
      gone.push(known);
    }
    await lock.confirm();
    const { customer } = await customers.make(user, gone);
    return { customer, sessions: [], subscriptions: null };
  }

  /** The prices that may be asked for, as Stripe sells them. @throws StripeUnansweredError */
  async #prices({ catalog, offer, request }: Asked, held: Held | null): Promise<PriceOf> {
    const { gateway, prices } = this.options;
    const beside = Object.keys(request.addons ?? (held === null ? {} : (choiceHeld(held)?.addons ?? {})));
    const names = [offer.price, ...beside.flatMap((name) => catalog.addons[name]?.prices ?? [])];
    const known = new Map(await prices.of(names));
    for (const name of names) {
      if (known.has(name)) continue;
      const price = await readSoldPrice(gateway, name, PATIENCE_MS);
      if (price !== null) known.set(name, price);
    }
    return (name) => known.get(name) ?? null;
  }

  async #upgrade(
    { request, user, actor }: Asked,
    wanted: Wanted,
    held: Held,
    lock: HeldLock,
  ): Promise<CheckoutResponse> {
    const { gateway, configurations, record, userIds } = this.options;
    const userIdKey = userIds.userIdMetadataKey;
    const upgrade = { request, wanted, held, checkout: randomUUID(), userIdKey };
    const begun = await beginUpgrade(gateway, configurations, upgrade, lock);
    if (begun.sessionId === null) return begun;
    await record.started(user, actor, wanted, {
      session: begun.sessionId,
      customer: idOf(held.subscription.customer),
      purpose: 'upgrade',
      mode: 'subscription',
      trialDays: 0,
      subscription: held.subscription.id,
      ends: [],
      expiresAt: begun.expiresAt === null ? null : Math.floor(Date.parse(begun.expiresAt) / 1_000),
    });
    return begun;
  }
}
