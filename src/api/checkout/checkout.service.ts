import { randomUUID } from 'node:crypto';
import type { CommandBus } from '@nestjs/cqrs';
import type { Caller } from '../../auth/caller.js';
import { RecordCheckoutEvent } from '../../commands/checkout.aggregate.js';
import type { EventStore } from '../../event-store/event-store.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import type { CheckoutStartedData } from '../../events/checkout.events.js';
import { parseEvent } from '../../events/event-envelope.js';
import type { Position } from '../../events/stored-event.js';
import { checkoutStream } from '../../events/stream-names.js';
import { type ClaimReading, claimOf } from '../../events/user-id.js';
import { ProblemError } from '../../http/problem.js';
import { orderOfChoice } from '../../plans/plan-order.js';
import type { LogWatch } from '../../projections/engine/log-watch.js';
import type { Projection } from '../../projections/engine/projection.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { Buyer, BuyerReader } from '../../projections/read-models/buyer.reader.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import type { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import type { PortalConfigurations } from '../../stripe/gateway/portal-configurations.js';
import { readSoldPrice, type SoldPrice } from '../../stripe/gateway/sold-price.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { SoldPrices } from '../../stripe/prices/sold-prices.js';
import { checkUserId } from '../entitlements/entitlements.service.js';
import type { CheckoutRequest, CheckoutResponse } from './checkout.schemas.js';
import { statusTold } from './checkout-status.js';
import type { BuyingUser, CustomerOfUser } from './customer-of-user.js';
import { choiceHeld, type Held, idOf } from './held.js';
import { checkOrigins, type Offer, offerOf } from './offer.js';
import { refuseUnheard, reuseOrExpire, sessionSchema, sessionsOf } from './open-sessions.js';
import { runningSubscriptions } from './running-subscriptions.js';
import { choiceKey, sessionParams } from './session-params.js';
import { PATIENCE_MS, writtenAs } from './stripe-writes.js';
import { trialDaysOf } from './trial.js';
import { beginUpgrade } from './upgrade.js';
import type { HeldLock, UserLocks } from './user-lock.js';
import { type Wanted, wantedOf } from './wanted.js';

export interface CheckoutServiceOptions {
  readonly gateway: StripeGateway | null;
  readonly configurations: Pick<PortalConfigurations, 'upgrade'> | null;
  readonly customers: CustomerOfUser | null;
  readonly locks: UserLocks;
  readonly commands: CommandBus;
  readonly buyers: BuyerReader;
  readonly reader: Pick<EntitlementReader, 'read'>;
  readonly engine: Pick<Projection, 'waitUntil'>;
  readonly ops: Pick<OpsReader, 'currentCatalog'>;
  readonly logWatch: Pick<LogWatch, 'end'>;
  readonly store: Pick<EventStore, 'read'>;
  readonly streamPrefix: string;
  readonly prices: Pick<SoldPrices, 'of'>;
  readonly origins: readonly string[];
  readonly userIds: ClaimReading;
}

/** Milliseconds that the read model has to reach the end of the log: what is sold hangs on what is known. */
const LEVEL_MS = 5_000;

/** What acts at Stripe. */
interface AtStripe {
  readonly gateway: StripeGateway;
  readonly configurations: Pick<PortalConfigurations, 'upgrade'>;
  readonly customers: CustomerOfUser;
}

/** What of a user a purchase begins from. */
interface Known {
  readonly buyer: Buyer;
  readonly snapshot: Snapshot;
}

interface Asked {
  readonly request: CheckoutRequest;
  readonly catalog: PlanCatalog;
  readonly offer: Offer;
  readonly user: BuyingUser;
  readonly actor: string;
}

/** Begins purchases and upgrades (DESIGN 10): one customer a user, one subscription, and nothing paid twice. */
export class CheckoutService {
  constructor(private readonly options: CheckoutServiceOptions) {}

  /** @throws ProblemError with the reason why it may not be bought */
  async start(request: CheckoutRequest, { actor, requestId }: Caller): Promise<CheckoutResponse> {
    const { ops, userIds, origins, gateway, configurations, customers, locks } = this.options;
    const { userId, successUrl, cancelUrl } = request;
    checkUserId(userId);
    if (claimOf(userId, userIds) === null) {
      throw new ProblemError('invalid_user_id', 'The user id does not match USER_ID_PATTERN.');
    }
    checkOrigins(origins, { successUrl, cancelUrl });
    const catalog = await ops.currentCatalog();
    if (catalog === null) throw new ReadModelNotReadyError();
    const offer = offerOf(catalog, request);
    const known = await this.#known(userId);
    trialDaysOf(request, offer, known.buyer);
    refuseLess(offer, catalog, known.snapshot);
    if (gateway === null || configurations === null || customers === null) {
      throw new ProblemError(
        'stripe_api_key_missing',
        'STRIPE_SECRET_KEY is not set: nothing can be bought.',
      );
    }
    const asked: Asked = { request, catalog, offer, user: { userId, requestId }, actor };
    return locks.holding(userId, async (lock) => {
      await this.#level();
      return this.#begin({ gateway, configurations, customers }, asked, lock);
    });
  }

  async #known(userId: string): Promise<Known> {
    const [buyer, { snapshot }] = await Promise.all([
      this.options.buyers.of(userId),
      this.options.reader.read(userId),
    ]);
    return { buyer, snapshot };
  }

  /** Waits until all that is in the log now is read. @throws ProblemError `checkout_not_ready` */
  async #level(): Promise<void> {
    const { logWatch, engine } = this.options;
    const end = await logWatch.end();
    if (end === null || (await engine.waitUntil(end, LEVEL_MS))) return;
    throw new ProblemError('checkout_not_ready', 'The read model is behind the log. Try again.', {
      'retry-after': '5',
    });
  }

  async #begin(stripe: AtStripe, asked: Asked, lock: HeldLock): Promise<CheckoutResponse> {
    const { gateway, customers } = stripe;
    const { catalog, offer, request, user } = asked;
    const { buyer, snapshot } = await this.#known(user.userId);
    const trialDays = trialDaysOf(request, offer, buyer);
    const found = await this.#customerOf(gateway, customers, asked, lock, { buyer, snapshot });
    const { customer, sessions } = found;
    await refuseUnheard(sessions, (session) => this.#told(session));
    const running = await runningSubscriptions(
      { gateway, buyers: this.options.buyers, userIdKey: this.options.userIds.userIdMetadataKey },
      { customer, listed: found.subscriptions, buyer, snapshot, catalog, userId: user.userId },
    );
    const priceOf = await this.#prices(gateway, catalog, offer, running.held, request);
    const wanted = wantedOf(catalog, request, offer, running.held, priceOf);
    const isOnce = wanted.choice.interval === 'once';
    refuseHeld(wanted, running.held, snapshot, catalog);
    if (running.held !== null && !isOnce) {
      await reuseOrExpire(gateway, sessions, null);
      return this.#upgrade(stripe, asked, wanted, running.held, lock);
    }
    const days = isOnce ? 0 : trialDays;
    const open = await reuseOrExpire(gateway, sessions, choiceKey(request, wanted, days));
    const checkout = randomUUID();
    const { userIdMetadataKey: userIdKey } = this.options.userIds;
    const parts = {
      request,
      wanted,
      customer,
      trialDays: days,
      options: catalog.checkout,
      userIdKey,
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
    await this.#started(asked, wanted, {
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
  async #customerOf(
    gateway: StripeGateway,
    customers: CustomerOfUser,
    { user }: Asked,
    lock: HeldLock,
    { buyer, snapshot }: Known,
  ) {
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

  async #told(session: string): Promise<ReturnType<typeof statusTold>> {
    const { store, streamPrefix } = this.options;
    const events = await store.read(checkoutStream(streamPrefix, session), 0);
    return statusTold(events.map(parseEvent));
  }

  /** The prices that may be asked for, as Stripe sells them. @throws ProblemError `stripe_unavailable` */
  async #prices(
    gateway: StripeGateway,
    catalog: PlanCatalog,
    offer: Offer,
    held: Held | null,
    { addons }: CheckoutRequest,
  ): Promise<(name: string) => SoldPrice | null> {
    const beside = Object.keys(addons ?? (held === null ? {} : (choiceHeld(held)?.addons ?? {})));
    const names = [offer.price, ...beside.flatMap((name) => catalog.addons[name]?.prices ?? [])];
    const known = new Map(await this.options.prices.of(names));
    for (const name of names) {
      if (known.has(name)) continue;
      const price = await readSoldPrice(gateway, name, PATIENCE_MS);
      if (price !== null) known.set(name, price);
    }
    return (name) => known.get(name) ?? null;
  }

  async #upgrade(
    { gateway, configurations }: AtStripe,
    asked: Asked,
    wanted: Wanted,
    held: Held,
    lock: HeldLock,
  ): Promise<CheckoutResponse> {
    const { request } = asked;
    const { userIdMetadataKey: userIdKey } = this.options.userIds;
    const upgrade = { request, wanted, held, checkout: randomUUID(), userIdKey };
    const begun = await beginUpgrade(gateway, configurations, upgrade, lock);
    if (begun.sessionId === null) return begun;
    await this.#started(asked, wanted, {
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

  async #started(
    { user, actor }: Asked,
    { offer, price, quantity, addons }: Wanted,
    rest: Omit<CheckoutStartedData, 'userId' | 'plan' | 'interval' | 'price' | 'quantity' | 'addons'>,
  ): Promise<Position | null> {
    const data: CheckoutStartedData = {
      ...rest,
      userId: user.userId,
      plan: offer.plan,
      interval: offer.interval,
      price: price.id,
      quantity,
      addons: addons.map((addon) => ({ ...addon })),
    };
    const { session } = rest;
    const origin = {
      actor,
      correlationId: user.requestId,
      causation: `started/${session}`,
      stripe: null,
    };
    const command = new RecordCheckoutEvent(session, { type: 'CheckoutStarted', data }, origin);
    const { position } = await this.options.commands.execute(command);
    return position;
  }
}

/** What is surely less than what a subscription gives, before Stripe is asked anything. @throws ProblemError `plan_change_needed` */
function refuseLess({ of, plan }: Offer, catalog: PlanCatalog, snapshot: Snapshot): void {
  const held = catalog.plans[snapshot.plan];
  if (snapshot.subscriptionActive && held !== undefined && of.rank < held.rank) throw isLess(plan);
}

/** @throws ProblemError `already_held`, `plan_change_needed`, `payment_due` */
function refuseHeld(wanted: Wanted, held: Held | null, snapshot: Snapshot, catalog: PlanCatalog): void {
  const { offer, choice } = wanted;
  if (snapshot.source?.type === 'purchase' && offer.of.rank <= (catalog.plans[snapshot.plan]?.rank ?? -1)) {
    throw new ProblemError('already_held', `The user has the plan "${snapshot.plan}" for good.`);
  }
  if (held === null) return;
  if (held.subscription.status === 'past_due') {
    throw new ProblemError(
      'payment_due',
      'The subscription has an unpaid invoice: that is to be paid first.',
    );
  }
  const has = choiceHeld(held);
  const order = has === null ? 'more' : orderOfChoice(choice, has);
  if (order === 'less') throw isLess(offer.plan);
  if (order === 'same') {
    throw new ProblemError('already_held', 'The subscription has this plan, interval, quantity and add-ons.');
  }
}

function isLess(plan: string): ProblemError {
  return new ProblemError(
    'plan_change_needed',
    `"${plan}" is less than what the user has: change it by PATCH /v1/users/{id}/plan.`,
  );
}
