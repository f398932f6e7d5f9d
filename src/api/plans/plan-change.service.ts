import type { CommandBus } from '@nestjs/cqrs';
import type { CommandResult } from '../../commands/aggregate.js';
import { RequestPlanChange, WithdrawPlanChange } from '../../commands/plan-change.aggregate.js';
import type { PlanCatalog } from '../../events/catalog.events.js';
import { ProblemError } from '../../http/problem.js';
import { hasMoreUnits, orderOfChoice } from '../../plans/plan-order.js';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { EntitlementReader } from '../../projections/read-models/entitlement.reader.js';
import type { OpsReader } from '../../projections/read-models/ops.reader.js';
import { ReadModelNotReadyError } from '../../projections/read-models/served-row.js';
import type { UsageReader } from '../../projections/read-models/usage.reader.js';
import { readSoldPrice } from '../../stripe/gateway/sold-price.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { SoldPrices } from '../../stripe/prices/sold-prices.js';
import { type LogFollowing, waitForEndOfLog } from '../checkout/end-of-log.js';
import { choiceHeld, type Held, heldBy } from '../checkout/held.js';
import { addonOf } from '../checkout/offer.js';
import { answered, PATIENCE_MS } from '../checkout/stripe-writes.js';
import type { HeldLock, UserLocks } from '../checkout/user-lock.js';
import { type AskedChange, type Change, originOf, responseOf, shownOf } from './asked-change.js';
import {
  costsMoreInPart,
  notBySubscription,
  paidUpgrade,
  quotaExceeded,
  withoutSubscription,
} from './plan-change.refusals.js';
import type { PlanChangeRequest, PlanChangeResponse } from './plan-change.schemas.js';
import {
  changeableSubscription,
  SubscriptionChange,
  type SubscriptionChangeResult,
} from './plan-change.stripe.js';
import { exceededLimits } from './quota.js';
import { namesForChange, planOf, type WantedChange, wantedChange } from './wanted-change.js';

export interface PlanChangeServiceOptions extends LogFollowing {
  /** `null`: there is no key of Stripe's API. */
  readonly gateway: StripeGateway | null;
  readonly reader: Pick<EntitlementReader, 'read'>;
  readonly ops: Pick<OpsReader, 'currentCatalog'>;
  readonly prices: Pick<SoldPrices, 'of'>;
  readonly locks: Pick<UserLocks, 'holding'>;
  readonly commands: CommandBus;
  readonly usage: Pick<UsageReader, 'usageOf'>;
}

/** Changes plans to what is less (DESIGN 10): what is more is paid for first, through a checkout. */
export class PlanChangeService {
  constructor(private readonly options: PlanChangeServiceOptions) {}

  /** @throws ProblemError with the reason why it may not be changed; StripeRefusedError, StripeUnansweredError */
  async change(asked: AskedChange): Promise<PlanChangeResponse> {
    return this.options.locks.holding(asked.userId, async (lock) => {
      await waitForEndOfLog(this.options);
      return this.#changeHeld(asked, lock);
    });
  }

  /** Reads within the lock, behind the end of the log: whoever held it before may have changed what is known. */
  async #changeHeld(asked: AskedChange, lock: HeldLock): Promise<PlanChangeResponse> {
    const { ops, reader, gateway } = this.options;
    const { userId, request } = asked;
    const catalog = await ops.currentCatalog();
    if (catalog === null) throw new ReadModelNotReadyError();
    const { snapshot } = await reader.read(userId);
    const { rank } = planOf(catalog, request.plan ?? snapshot.plan);
    for (const addon of Object.keys(request.addons ?? {})) addonOf(catalog, addon);
    if (rank > (catalog.plans[snapshot.plan]?.rank ?? rank)) throw paidUpgrade(asked);
    const { source } = snapshot;
    if (source?.type !== 'subscription') return withoutSubscription(asked, snapshot);
    if (gateway === null) throw new ProblemError('stripe_api_key_missing', 'Set STRIPE_SECRET_KEY.');
    return this.#ofSubscription({ gateway, catalog, snapshot, lock }, asked, source.subscriptionId);
  }

  async #ofSubscription(
    {
      gateway,
      catalog,
      snapshot,
      lock,
    }: {
      readonly gateway: StripeGateway;
      readonly catalog: PlanCatalog;
      readonly snapshot: Snapshot;
      readonly lock: HeldLock;
    },
    asked: AskedChange,
    subscription: string,
  ): Promise<PlanChangeResponse> {
    const { request, userId, key } = asked;
    const shown = await gateway.object({ kind: 'subscription', id: subscription }, PATIENCE_MS);
    if (shown.outcome === 'not_found') throw notBySubscription('Stripe no longer has the subscription.');
    const { object } = answered(`/v1/subscriptions/${subscription}`, shown);
    const of = changeableSubscription.parse(object);
    const held = heldBy(of, catalog);
    const has = choiceHeld(held);
    if (has === null || ENDED.includes(of.status)) throw notBySubscription('The subscription gives no plan.');
    const isEnd = (request.plan ?? has.plan) === catalog.default;
    const wanted = isEnd ? 'the end' : await this.#wanted(gateway, catalog, request, held);
    const at = new SubscriptionChange(gateway, of, `tenure-plan-${key}`);
    const change: Change = { ...asked, held, has, wanted, subscription, byDefault: catalog.default };
    const order = wanted === 'the end' ? 'less' : orderOfChoice(wanted.choice, has);
    if (order === 'more') throw paidUpgrade(asked);
    if (order === 'same') {
      if (!at.hasSomethingToCome) return responseOf(change, 'unchanged', null, null);
      await lock.confirm();
      const { schedule } = await at.withdraw();
      const command = new WithdrawPlanChange({ userId, subscription, schedule }, originOf(asked));
      return responseOf(change, 'withdrawn', null, await this.#record(command));
    }
    if (wanted !== 'the end' && hasMoreUnits(wanted.choice, has)) {
      throw new ProblemError(
        'more_in_part',
        'Units or add-ons of it are more. Ask for what is less alone; once it holds, a checkout brings more.',
      );
    }
    const after = wanted === 'the end' ? { plan: catalog.default, quantity: 1, addons: {} } : wanted.choice;
    const usage = await this.options.usage.usageOf(userId);
    const exceeded = exceededLimits(catalog, { held: has, wanted: after }, snapshot.limits, usage);
    if (exceeded.length > 0) throw quotaExceeded(exceeded);
    await lock.confirm();
    return request.when === 'now'
      ? this.#now(change, at, snapshot.pendingPayment)
      : this.#withPeriod(change, at);
  }

  async #now(
    change: Change,
    at: SubscriptionChange,
    waits: Snapshot['pendingPayment'],
  ): Promise<PlanChangeResponse> {
    const { wanted, has } = change;
    if (wanted !== 'the end' && costsMoreInPart(wanted.choice, has)) {
      throw new ProblemError(
        'waits_for_period_end',
        'Part of it is more than what is held: it waits as a whole for the end of the period.',
      );
    }
    // Who asked is known before it is done: afterwards nothing would tell a repeat that it was.
    const position = await this.#requested(change, { schedule: null, at: null, answeredAt: 0 });
    if (wanted === 'the end') await at.endNow();
    else await at.changeNow(wanted, waits);
    return responseOf(change, 'changed', null, position);
  }

  async #withPeriod(change: Change, at: SubscriptionChange): Promise<PlanChangeResponse> {
    const { wanted, held } = change;
    const told =
      wanted === 'the end'
        ? await at.endWithPeriod()
        : await at.changeWithPeriod(wanted, held.planItem?.item.id ?? '');
    return responseOf(change, 'scheduled', told.at, await this.#requested(change, told));
  }

  #requested(change: Change, { schedule, at, answeredAt }: SubscriptionChangeResult): Promise<string | null> {
    const { userId, subscription, wanted, request } = change;
    const { plan, interval, quantity, addons } = shownOf(change);
    const price = wanted === 'the end' ? null : wanted.price;
    return this.#record(
      new RequestPlanChange(
        {
          userId,
          subscription,
          plan,
          interval,
          price,
          quantity,
          addons,
          when: request.when,
          at,
          schedule,
          askedAt: answeredAt,
        },
        originOf(change),
      ),
    );
  }

  async #record(command: RequestPlanChange | WithdrawPlanChange): Promise<string | null> {
    const { position }: CommandResult = await this.options.commands.execute(command);
    return position;
  }

  async #wanted(
    gateway: StripeGateway,
    catalog: PlanCatalog,
    request: PlanChangeRequest,
    held: Held,
  ): Promise<WantedChange> {
    const names = namesForChange(catalog, request, held);
    const prices = new Map(await this.options.prices.of(names));
    for (const name of names) {
      if (prices.has(name)) continue;
      const price = await readSoldPrice(gateway, name, PATIENCE_MS);
      if (price !== null) prices.set(name, price);
    }
    return wantedChange(catalog, request, held, (name) => prices.get(name) ?? null);
  }
}

/** Statuses in which a subscription is over, or never began (Stripe: "Subscription statuses"). */
const ENDED: readonly string[] = ['canceled', 'incomplete', 'incomplete_expired'];
