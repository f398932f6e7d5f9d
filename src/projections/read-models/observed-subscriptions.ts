import { z } from 'zod';
import type { Statements } from '../../database/in-transaction.js';
import { orderObservations } from '../../policy/order.js';
import { observationText } from '../entitlements/fact-rows.js';

/** A subscription and what Stripe said of it, in order. */
export interface ObservedSubscription {
  readonly subscription: string;
  readonly customer: string | null;
  readonly observations: ReturnType<typeof orderObservations>['observations'];
}

const rowSchema = z.object({
  subscription: z.string(),
  customer: z.string().nullable(),
  bodies: z.array(z.string()),
});

/** The subscriptions of a user in the live generation, by id. */
export async function readObservedSubscriptions(
  database: Statements,
  userId: string,
): Promise<readonly ObservedSubscription[]> {
  const { rows } = await database.query(
    `select s.subscription, s.customer,
       coalesce(array_agg(f.body) filter (where f.body is not null), '{}') as bodies
     from tenure.subscription s left join tenure.subscription_fact f
       on f.generation = s.generation and f.subscription = s.subscription and f.kind = 'observation'
     where s.generation = (select generation from tenure.live_generation) and s.owner = $1
     group by 1, 2 order by 1`,
    [userId],
  );
  return z
    .array(rowSchema)
    .parse(rows)
    .map(({ subscription, customer, bodies }) => {
      const told = bodies.map((body) => observationText.parse(JSON.parse(body)));
      return { subscription, customer, observations: orderObservations(told).observations };
    });
}
