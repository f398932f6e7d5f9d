import { randomUUID } from 'node:crypto';
import { planCatalogSchema } from '../../src/events/catalog.events.js';
import type { EventEnvelope } from '../../src/events/event-envelope.js';
import type { DomainEvent } from '../../src/events/event-types.js';
import type { InvoiceLine } from '../../src/events/invoice.events.js';
import type { SubscriptionItem } from '../../src/events/subscription.events.js';
import type { FactOrigin, Observation } from '../../src/policy/facts.js';
import type { Price } from '../../test/support/lives.catalog.js';
import {
  checkoutFact,
  DAWN,
  DAY,
  invoiceFact,
  item,
  line,
  observation,
  observationEvent,
  previousAttributes,
  subscriptionState,
} from '../../test/support/lives.facts.js';

/** The plan that all lives are about, and a product that no plan has. */
export const CATALOG = planCatalogSchema.parse({
  default: 'free',
  plans: {
    free: { rank: 0, role: 'free', features: ['reports'] },
    plus: {
      rank: 1,
      role: 'paid',
      features: ['reports', 'export'],
      limits: { members: 500 },
      prices: { monthly: 'plus_m' },
    },
  },
});

const HASH = '0'.repeat(64);
let told = 0;

/** An event as the projection reads it, recorded in the second in which it happened. */
export function recorded(event: DomainEvent, by: FactOrigin): EventEnvelope {
  told += 1;
  return {
    ...event,
    stream: 'tenure.bench',
    revision: told,
    position: String(told),
    id: randomUUID(),
    metadata: {
      stripeEventId: by.eventId,
      stripeEventType: by.stripeType,
      stripeCreated: by.created,
      apiVersion: '2026-10-28.endive',
      livemode: false,
      correlationId: 'bench',
      causationId: by.eventId,
      actor: 'stripe',
      recordedAt: new Date(by.created * 1000).toISOString(),
      schemaVersion: 1,
      prevHash: HASH,
      hash: HASH,
    },
  };
}

/** The publication of the catalogue that all lives are judged by. */
export function publication(): EventEnvelope {
  const event = { type: 'PlanCatalogPublished', data: { hash: HASH, catalog: CATALOG } } as const;
  return recorded(event, { eventId: 'evt_catalog', stripeType: '', created: DAWN });
}

/** Whose a subscription is. */
export interface Holder {
  readonly subscription: string;
  readonly customer: string;
  readonly userId: string;
}

/** Someone with a subscription and a customer of their own. */
export function newHolder(): Holder {
  told += 1;
  return { subscription: `sub_${told}`, customer: `cus_${told}`, userId: `user-${told}` };
}

/** Events in the order in which they happen to a subscription. */
export class LongLife {
  #second = DAWN + DAY;
  #renewals = 0;

  constructor(private readonly holder: Holder) {}

  /** The event that begins it; `status` is `active` or `trialing` for a month. */
  begins(status = 'active'): EventEnvelope {
    return this.#seen('customer.subscription.created', {
      status,
      trialEnd:
        status === 'trialing' ? this.#second + 30 * DAY + Number(this.holder.subscription.slice(4)) : null,
    });
  }

  /** `count` events as a life goes on: renewals with the invoice paid for them, and changes of metadata between. */
  goesOn(count: number): EventEnvelope[] {
    return Array.from({ length: count }, (_, n) => {
      this.#second += 3_600;
      if (n % 3 === 0) return this.#renewal();
      return n % 3 === 1 ? this.#paid(1) : this.#metadata();
    });
  }

  /** `count` events of one second: changes of metadata alone, or a cancellation scheduled and withdrawn in turns. */
  second(count: number, kind: 'metadata' | 'toggled'): EventEnvelope[] {
    this.#second += 3_600;
    return Array.from({ length: count }, (_, n) => {
      if (kind === 'metadata') return this.#metadata();
      const others = { metadata: { n: String(n) } };
      return this.#seen('customer.subscription.updated', {
        cancelAtPeriodEnd: n % 2 === 0,
        previous: previousAttributes({ cancelAtPeriodEnd: n % 2 === 1 }, others),
      });
    });
  }

  /** One event that replaces `count` items on prices of one unmapped product by as many others. */
  replacesItems(count: number): EventEnvelope {
    this.#second += 3_600;
    const price = (n: number): Price => ({
      ...PLUS,
      price: `unmapped_${n}`,
      lookupKey: null,
      product: 'prod_x',
    });
    const items = (from: number): SubscriptionItem[] =>
      Array.from({ length: count }, (_, n) => item(price(from + n), 1, this.#second, this.#second + DAY));
    return this.#seen('customer.subscription.updated', {
      items: items(count),
      previous: previousAttributes({ items: items(0) }, {}),
    });
  }

  /** A completed session of the customer for something bought once. */
  buysOnce(): EventEnvelope {
    this.#second += 3_600;
    const { customer, userId } = this.holder;
    const fact = checkoutFact(`evt_${told}`, 'CheckoutCompleted', this.#second, '', 'paid');
    const names = {
      session: `cs_${told}`,
      customer,
      subscription: null,
      mode: 'payment',
      metadataUserId: userId,
    };
    const data = { ...fact.data, ...names };
    return recorded({ type: 'CheckoutCompleted', data }, fact);
  }

  /** One event as life goes on that Stripe tells of only after all that was told since. */
  late(): EventEnvelope {
    const now = this.#second;
    this.#second = DAWN + 2 * DAY + 1_800;
    const event = this.#metadata();
    this.#second = now;
    return event;
  }

  /** It falls due, with nothing paid since. */
  isOverdue(): EventEnvelope {
    this.#second += 3_600;
    return this.#seen('customer.subscription.updated', {
      status: 'past_due',
      previous: previousAttributes({ status: 'active' }, {}),
    });
  }

  /** A paid invoice with a line for each of `count` consecutive periods, and that the next one was not paid. */
  fallsDue(count: number): EventEnvelope[] {
    this.#second += 3_600;
    return [this.#paid(count), this.isOverdue()];
  }

  /** A change that nothing of access hangs on, while it is past due. */
  staysDue(): EventEnvelope {
    this.#second += 3_600;
    return this.#seen('customer.subscription.updated', {
      status: 'past_due',
      previous: previousAttributes({}, { metadata: { n: String(this.#second) } }),
    });
  }

  #metadata(): EventEnvelope {
    const others = { metadata: { n: String(told) } };
    return this.#seen('customer.subscription.updated', { previous: previousAttributes({}, others) });
  }

  #renewal(): EventEnvelope {
    const before = this.#items();
    this.#renewals += 1;
    return this.#seen('customer.subscription.updated', {
      previous: previousAttributes({ items: before }, {}),
    });
  }

  #paid(periods: number): EventEnvelope {
    const lines: InvoiceLine[] = Array.from({ length: periods }, (_, n) =>
      line(PLUS.price, 1000, this.#second + n * 3_600, this.#second + (n + 1) * 3_600),
    );
    const { subscription, customer } = this.holder;
    const data = {
      invoice: `in_${told}`,
      subscription,
      customer,
      status: 'paid',
      created: this.#second,
      lines,
    };
    const fact = invoiceFact(`evt_${told}`, 'invoice.paid', this.#second, data);
    return recorded({ type: 'SubscriptionPaid', data: fact.data }, fact);
  }

  #seen(stripeType: string, changes: Partial<Observation['data']>): EventEnvelope {
    const state = subscriptionState(this.holder.subscription, {
      customer: this.holder.customer,
      userId: this.holder.userId,
      items: this.#items(),
      ...changes,
    });
    const fact = observation(`evt_${told}`, stripeType, this.#second, state);
    return recorded(observationEvent(fact), fact);
  }

  #items(): SubscriptionItem[] {
    const end = DAWN + (this.#renewals + 1) * 30 * DAY;
    return [item(PLUS, 1, end - 30 * DAY, end)];
  }
}

const PLUS: Price = {
  price: 'plus_m',
  lookupKey: null,
  product: 'prod_plus',
  unitAmount: '1000',
  usageType: 'licensed',
  billingScheme: 'per_unit',
};
