import { z } from 'zod';
import type { Snapshot } from '../../projections/entitlements/snapshot.js';
import type { StripeGateway } from '../../stripe/gateway/stripe.gateway.js';
import type { StripeWrite } from '../../stripe/gateway/stripe-answers.js';
import { written } from '../../stripe/gateway/written.js';
import { idOf, stripeSubscription } from '../checkout/held.js';
import { answered, idOnly, PATIENCE_MS, writtenAs } from '../checkout/stripe-writes.js';
import type { WantedChange } from './wanted-change.js';

type Gateway = Pick<StripeGateway, 'at' | 'object' | 'write'>;

/** A subscription that gives a plan, as Stripe shows it, with what is to come of it. */
export const changeableSubscription = stripeSubscription.extend({
  cancel_at: z.int().nullish(),
  cancel_at_period_end: z.boolean().nullish(),
  items: z.looseObject({
    data: z.array(stripeSubscription.shape.items.shape.data.element.extend({ current_period_end: z.int() })),
  }),
});
export type ChangeableSubscription = z.infer<typeof changeableSubscription>;

const discounts = z.array(z.looseObject({})).nullish();
const named = z.union([z.string(), idOnly]);
const phaseSchema = z.looseObject({
  start_date: z.int(),
  end_date: z.int(),
  items: z.array(
    z.looseObject({
      price: named,
      quantity: z.int().nullish(),
      metadata: z.record(z.string(), z.string()).nullish(),
      discounts,
      tax_rates: z.array(named).nullish(),
    }),
  ),
  discounts,
  default_tax_rates: z.array(named).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  trial_end: z.int().nullish(),
});
type Phase = z.infer<typeof phaseSchema>;
const scheduleSchema = z.looseObject({
  id: z.string(),
  current_phase: z.looseObject({ start_date: z.int() }).nullish(),
  phases: z.array(phaseSchema).min(1),
});

/** Result of a change at Stripe: the schedule that brings it and when it comes (`null`: at once), and the second (Unix) of Stripe's last answer. */
export interface SubscriptionChangeResult {
  readonly schedule: string | null;
  /** Unix seconds. */
  readonly at: number | null;
  readonly answeredAt: number;
}

/**
 * Changes one subscription at Stripe. Each step has an idempotency key of its own made of `key`, which is that of one request
 * and its repeats. @throws StripeRefusedError, StripeUnansweredError
 */
export class SubscriptionChange {
  constructor(
    private readonly gateway: Gateway,
    private readonly subscription: ChangeableSubscription,
    private readonly key: string,
  ) {}

  /** Whether something is to come at the period's end: an end, or what a schedule brings. */
  get hasSomethingToCome(): boolean {
    return this.#schedule !== null || this.#isEnding;
  }

  get #schedule(): string | null {
    const { schedule } = this.subscription;
    return schedule == null ? null : idOf(schedule);
  }

  get #isEnding(): boolean {
    return this.subscription.cancel_at_period_end === true || this.subscription.cancel_at != null;
  }

  get #path(): string {
    return `/v1/subscriptions/${encodeURIComponent(this.subscription.id)}`;
  }

  /** It goes on as it is. */
  async withdraw(): Promise<SubscriptionChangeResult> {
    const { schedule } = await this.#release();
    const { answeredAt } = this.#isEnding
      ? await this.#write('keep', { method: 'POST', path: this.#path, params: this.#keeping() })
      : { answeredAt: 0 };
    return { schedule, at: null, answeredAt };
  }

  /** It ends with its period; a schedule would end it otherwise, and is let go first. */
  async endWithPeriod(): Promise<SubscriptionChangeResult> {
    await this.#release();
    const params = { cancel_at_period_end: true };
    const { object, answeredAt } = await this.#write('end', { method: 'POST', path: this.#path, params });
    const { cancel_at, items } = changeableSubscription.parse(object);
    const at = cancel_at ?? Math.max(...items.data.map((item) => item.current_period_end));
    return { schedule: null, at, answeredAt };
  }

  /** It ends now; nothing is paid back. */
  async endNow(): Promise<SubscriptionChangeResult> {
    const { answeredAt } = await this.#write('cancel', { method: 'DELETE', path: this.#path });
    return { schedule: null, at: null, answeredAt };
  }

  /**
   * It becomes what is wanted now, all items named; what is less is credited at once, if what it is less of was paid: Stripe
   * credits unpaid time too. Where it costs more after all, and that is not paid, nothing changes (Stripe:
   * `error_if_incomplete`).
   */
  async changeNow(
    { items, dropped }: WantedChange,
    waits: Snapshot['pendingPayment'],
  ): Promise<SubscriptionChangeResult> {
    await this.#release();
    const params = {
      items: [
        ...items.map(({ id, price, quantity }) => ({
          ...(id === null ? {} : { id }),
          price,
          ...(quantity === null ? {} : { quantity }),
        })),
        ...dropped.map((id) => ({ id, deleted: true })),
      ],
      proration_behavior: mayCredit(this.subscription, waits) ? 'always_invoice' : 'none',
      payment_behavior: 'error_if_incomplete',
      ...(this.#isEnding ? this.#keeping() : {}),
    };
    const { answeredAt } = await this.#write('now', { method: 'POST', path: this.#path, params });
    return { schedule: null, at: null, answeredAt };
  }

  /**
   * It becomes what is wanted when the period of `planItem` ends, by a schedule of two phases: as it is until then, and what is
   * wanted for one interval; then it goes on without a schedule (Stripe: "Subscription schedules", `from_subscription`,
   * `end_behavior: release`). A schedule that it has already is taken over.
   */
  async changeWithPeriod(
    { items, choice }: WantedChange,
    planItem: string,
  ): Promise<SubscriptionChangeResult> {
    const { interval } = choice;
    if (interval === 'once') throw new Error('what is paid once is no phase of a subscription');
    const end = this.subscription.items.data.find(({ id }) => id === planItem)?.current_period_end;
    if (end === undefined) throw new Error('the item of the plan is not among those of its subscription');
    if (this.#isEnding && this.#schedule === null) {
      await this.#write('keep', { method: 'POST', path: this.#path, params: this.#keeping() });
    }
    const { id, phases, current_phase } = await this.#scheduleOfNow();
    const now = phases.find(({ start_date }) => start_date === current_phase?.start_date) ?? phases[0];
    if (now === undefined) throw new Error('a schedule has a phase at least');
    const next = {
      items: items.map(({ price, quantity }) => ({ price, ...(quantity === null ? {} : { quantity }) })),
      duration: { interval: interval.unit, interval_count: interval.count },
      proration_behavior: 'none',
      ...lasting(now),
    };
    const { answeredAt } = await this.#write('schedule', {
      method: 'POST',
      path: `/v1/subscription_schedules/${encodeURIComponent(id)}`,
      params: {
        end_behavior: 'release',
        proration_behavior: 'none',
        phases: [asItIs(now, end), next],
      },
    });
    return { schedule: id, at: end, answeredAt };
  }

  /** Stripe refuses other changes, and the end, of what a schedule holds. */
  async #release(): Promise<{ readonly schedule: string | null }> {
    const schedule = this.#schedule;
    if (schedule === null) return { schedule };
    const path = `/v1/subscription_schedules/${encodeURIComponent(schedule)}/release`;
    await this.#write('release', { method: 'POST', path });
    return { schedule };
  }

  /** An end is taken back the way it was set. */
  #keeping(): Readonly<Record<string, unknown>> {
    return this.subscription.cancel_at_period_end === true
      ? { cancel_at_period_end: false }
      : { cancel_at: '' };
  }

  async #scheduleOfNow(): Promise<z.infer<typeof scheduleSchema>> {
    const path = '/v1/subscription_schedules';
    const known = this.#schedule;
    if (known === null) {
      const params = { from_subscription: this.subscription.id };
      const write = { method: 'POST', path, params, idempotencyKey: `${this.key}/begin` } as const;
      return writtenAs(this.gateway, write, scheduleSchema);
    }
    const at = `${path}/${encodeURIComponent(known)}`;
    return scheduleSchema.parse(answered(at, await this.gateway.at(at, {}, PATIENCE_MS)).object);
  }

  #write(step: string, write: Omit<StripeWrite, 'idempotencyKey'>) {
    return written(this.gateway, { ...write, idempotencyKey: `${this.key}/${step}` }, PATIENCE_MS);
  }
}

/** Whether what a subscription runs for was surely paid: credit for anything else would pay for the next upgrade. */
export function mayCredit(
  { status, collection_method: by }: Pick<ChangeableSubscription, 'status' | 'collection_method'>,
  waits: Snapshot['pendingPayment'],
): boolean {
  const isPaid = status === 'active' || status === 'trialing';
  return isPaid && by !== 'send_invoice' && waits === null;
}

/** The phase that runs, told again as Stripe shows it: what is left out of an update is lost. */
function asItIs(phase: Phase, end: number): Readonly<Record<string, unknown>> {
  return {
    items: phase.items.map(({ price, quantity, metadata, discounts: own, tax_rates: rates }) => ({
      price: idOf(price),
      ...(quantity == null ? {} : { quantity }),
      ...(metadata == null || Object.keys(metadata).length === 0 ? {} : { metadata }),
      ...listed('discounts', own),
      ...listed('tax_rates', rates?.map(idOf)),
    })),
    start_date: phase.start_date,
    end_date: end,
    ...(phase.trial_end == null ? {} : { trial_end: phase.trial_end }),
    proration_behavior: 'none',
    ...lasting(phase),
  };
}

/** What of a phase is no matter of its items: it goes on in the next one. */
function lasting(phase: Phase): Readonly<Record<string, unknown>> {
  return {
    ...(phase.metadata == null || Object.keys(phase.metadata).length === 0
      ? {}
      : { metadata: phase.metadata }),
    ...listed('discounts', phase.discounts),
    ...listed('default_tax_rates', phase.default_tax_rates?.map(idOf)),
  };
}

function listed(
  name: string,
  values: readonly unknown[] | null | undefined,
): Readonly<Record<string, unknown>> {
  return values == null || values.length === 0 ? {} : { [name]: values };
}
