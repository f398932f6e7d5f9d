import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import { statusOf } from '../../policy/order.js';
import { customerText } from '../entitlements/fact-rows.js';
import { LIVE } from './live-generation.js';
import { type ObservedSubscription, readObservedSubscriptions } from './observed-subscriptions.js';

/** A subscription of a user, as far as buying goes. */
export interface BoughtSubscription {
  readonly subscription: string;
  readonly customer: string | null;
  /** As Stripe says it; `null` while none of its observations is known. */
  readonly status: string | null;
  /** Whether it ever began: a trial or a paid time. */
  readonly hasBegun: boolean;
}

/** A customer of a user at Stripe. */
export interface KnownCustomer {
  readonly customer: string;
  readonly isDeleted: boolean;
}

/** What is known of somebody who is about to buy. */
export interface Buyer {
  readonly customers: readonly KnownCustomer[];
  readonly subscriptions: readonly BoughtSubscription[];
}

/** A subscription in one of these never began (Stripe: "Subscription statuses"). */
const NEVER_BEGAN: readonly (string | null)[] = ['incomplete', 'incomplete_expired', null];

const customerRow = z.object({ customer: z.string(), facts: z.string() });

/** Reads what a purchase must know of a user in the live generation. */
export class BuyerReader {
  constructor(private readonly pool: Statements) {}

  /** Customers that are the user's and subscriptions that are, each by id. */
  async of(userId: string): Promise<Buyer> {
    const [subscriptions, customers] = await Promise.all([
      readObservedSubscriptions(this.pool, userId),
      this.customersOf(userId),
    ]);
    return { subscriptions: subscriptions.map(toSubscription), customers };
  }

  /** Customers that are the user's, by id. */
  async customersOf(userId: string): Promise<readonly KnownCustomer[]> {
    const { rows } = await this.pool.query(
      `with named as (
           select id as customer from tenure.user_stream
           where generation = ${LIVE} and user_id = $1 and category = 'customer'
           union select customer from tenure.subscription where generation = ${LIVE} and owner = $1
           union select c.customer from tenure.user_stream u join tenure.checkout c
             on c.generation = u.generation and c.session = u.id
           where u.generation = ${LIVE} and u.user_id = $1 and u.category = 'checkout'
         )
         select customer, facts from tenure.customer join named using (customer)
         where generation = ${LIVE} and owner = $1 order by 1`,
      [userId],
    );
    return z.array(customerRow).parse(rows).map(toCustomer);
  }

  /** Which of these subscriptions are known, whosever they are. */
  async knownOf(subscriptions: readonly string[]): Promise<ReadonlySet<string>> {
    if (subscriptions.length === 0) return new Set();
    const { rows } = await this.pool.query(
      `select subscription from tenure.subscription where generation = ${LIVE} and subscription = any($1)`,
      [subscriptions],
    );
    return new Set(
      z
        .array(z.object({ subscription: z.string() }))
        .parse(rows)
        .map(({ subscription }) => subscription),
    );
  }
}

function toSubscription({ subscription, customer, observations }: ObservedSubscription): BoughtSubscription {
  const hasBegun = observations.some(({ data }) => !NEVER_BEGAN.includes(data.status));
  return { subscription, customer, status: statusOf(observations), hasBegun };
}

function toCustomer({ customer, facts }: z.infer<typeof customerRow>): KnownCustomer {
  const { observations } = customerText.parse(JSON.parse(facts));
  return { customer, isDeleted: observations.some(({ stripeType }) => stripeType === 'customer.deleted') };
}
