import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import { deadlineStream, overridesStream, streamName } from '../../events/stream-names.js';
import { statusOf } from '../../policy/order.js';
import { LIVE } from './live-generation.js';
import { type ObservedSubscription, readObservedSubscriptions } from './observed-subscriptions.js';

/** A subscription that belongs to a user, as it was seen last. Times are RFC 3339. */
export interface UserSubscription {
  readonly subscription: string;
  readonly customer: string | null;
  /** As Stripe says it; `null` while none of its observations is known. */
  readonly status: string | null;
  readonly items: readonly { readonly price: string; readonly quantity: number | null }[];
  readonly currentPeriodEnd: string | null;
  readonly cancelAt: string | null;
  /** When Stripe made the newest observation. */
  readonly seenAt: string | null;
}

/** The version of a user: what is served is the counter of the live generation plus the offset. */
export interface UserVersion {
  readonly generation: number;
  readonly counter: number;
  readonly offset: number;
}

const versionRow = z.tuple([
  z.object({ generation: z.number(), counter: z.number(), version_offset: z.number() }),
]);

/** What stands behind the snapshot of one user in the live generation. */
export class UserFactsReader {
  constructor(private readonly pool: Statements) {}

  /** The subscriptions of a user, by id. */
  async subscriptions(userId: string): Promise<readonly UserSubscription[]> {
    return (await readObservedSubscriptions(this.pool, userId)).map(toSubscription);
  }

  async version(userId: string): Promise<UserVersion> {
    const { rows } = await this.pool.query(
      `select l.generation, coalesce(u.counter, 0) as counter, coalesce(o.version_offset, 0) as version_offset
       from tenure.live_generation l
       left join tenure.user_role u on u.generation = l.generation and u.user_id = $1
       left join tenure.revocation_offset o on o.user_id = $1`,
      [userId],
    );
    const [{ generation, counter, version_offset: offset }] = versionRow.parse(rows);
    return { generation, counter, offset };
  }

  /**
   * Names of the streams that tell of a user: of the subscriptions, purchases and customers that are the user's, of the customers of
   * these subscriptions, of the checkouts of both, of payments of which something was refunded or disputed, of grants and
   * overrides, and of what the clock ended. `prefix` is the setting `STREAM_PREFIX`.
   */
  async streams(userId: string, prefix: string): Promise<readonly string[]> {
    const { rows } = await this.pool.query(
      `with subscriptions as (
         select subscription, customer from tenure.subscription where generation = ${LIVE} and owner = $1
       ), purchases as (
         select session, customer from tenure.checkout where generation = ${LIVE} and owner = $1
       ), customers as (
         select customer from subscriptions where customer is not null
         union select customer from purchases where customer is not null
         union select customer from tenure.customer where generation = ${LIVE} and owner = $1
       )
       select 'subscription' as kind, subscription as id from subscriptions
       union select 'payment', other from tenure.payment_join where generation = ${LIVE}
         and kind = 'subscription' and id in (select subscription from subscriptions)
       union select 'checkout', session from purchases
       union select 'payment', other from tenure.payment_join where generation = ${LIVE}
         and kind = 'session' and id in (select session from purchases)
       union select 'customer', customer from customers
       union select 'grant', grant_id from tenure.grant where generation = ${LIVE} and user_id = $1
       union select 'checkout', session from tenure.checkout where generation = ${LIVE}
         and (customer in (select customer from customers) or subscription in (select subscription from subscriptions))`,
      [userId],
    );
    const found = z
      .array(
        z.object({
          kind: z.enum(['subscription', 'customer', 'checkout', 'payment', 'grant']),
          id: z.string(),
        }),
      )
      .parse(rows);
    return [
      ...found.map(({ kind: category, id }) => streamName(prefix, { category, id })),
      overridesStream(prefix, userId),
      deadlineStream(prefix, userId),
    ];
  }
}

function toSubscription({ subscription, customer, observations }: ObservedSubscription): UserSubscription {
  const newest = observations.at(-1);
  const items = newest?.data.items ?? [];
  return {
    subscription,
    customer,
    status: statusOf(observations),
    items: items.map(({ price, quantity }) => ({ price, quantity })),
    currentPeriodEnd: timeOf(items.at(0)?.currentPeriodEnd),
    cancelAt: timeOf(newest?.data.cancelAt),
    seenAt: timeOf(newest?.created),
  };
}

function timeOf(seconds: number | null | undefined): string | null {
  return seconds == null ? null : new Date(seconds * 1_000).toISOString();
}
