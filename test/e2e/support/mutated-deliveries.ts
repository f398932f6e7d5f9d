import type { Choice, Json } from '../../support/mutations.js';
import { mutated } from '../../support/mutations.js';
import type { TestService } from '../../support/service.js';
import {
  checkoutObject,
  customerObject,
  invoiceObject,
  invoiceObject2020,
  itemObject,
  now,
  previousItems,
  type StripeEvent,
  signed,
  stripeEvent,
  subscriptionObject,
  subscriptionObject2020,
} from '../../support/stripe-events.js';

/** Users, with a customer and a subscription each, that mutated events are about: few, so that what is wrong meets what is right. */
export const MUTATED_USERS: readonly string[] = Array.from({ length: 40 }, (_, n) => `m-${n}`);
/** Deliveries under way at once. */
const LANES = 8;
const PRICES = ['price_plus', 'price_pro', 'price_seat', 'price_nobody'];
/** So many wrong answers are told; then it ends. */
const MOST_WRONG = 3;

type Make = (id: string, price: string, userId: string) => StripeEvent;

const of = (userId: string): object => ({ metadata: { user_id: userId } });

/** Events as Stripe sends them, before they are bent. */
const MAKERS: readonly Make[] = [
  (id, price, user) => stripeEvent('customer.subscription.created', subscriptionObject(id, price, of(user))),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.created',
      subscriptionObject2020(id, price, { ...of(user), status: 'trialing' }),
    ),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.updated',
      subscriptionObject(id, price, {
        ...of(user),
        cancel_at: now() + 86_400,
        trial_end: now() + 3_600,
        pause_collection: { behavior: 'void', resumes_at: now() + 86_400 },
        pending_update: { expires_at: now() + 86_400, subscription_items: [itemObject('price_pro')] },
        items: { data: [itemObject(price), itemObject('price_seat', { quantity: 3 })], has_more: false },
      }),
      { previous: { items: previousItems('price_plus'), status: 'past_due', cancel_at: null } },
    ),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.updated',
      subscriptionObject(id, price, { ...of(user), status: 'past_due' }),
      { previous: { status: 'active' } },
    ),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.deleted',
      subscriptionObject(id, price, { ...of(user), status: 'canceled' }),
    ),
  (id, price) => stripeEvent('invoice.paid', invoiceObject(`in_${id}`, id, price)),
  (id, price) => stripeEvent('invoice.paid', invoiceObject2020(`in_${id}`, id, price)),
  (id, price) =>
    stripeEvent(
      'invoice.payment_failed',
      invoiceObject(`in_${id}`, id, price, { status: 'open', amount_due: 1_000 }),
    ),
  (id, price) =>
    stripeEvent(
      'invoice.marked_uncollectible',
      invoiceObject(`in_${id}`, id, price, { status: 'uncollectible' }),
    ),
  (id, _, user) => stripeEvent('customer.updated', customerObject(`cus_${id}`, of(user))),
  (id) => stripeEvent('customer.deleted', customerObject(`cus_${id}`, { deleted: true })),
  (id, _, userId) =>
    stripeEvent(
      'checkout.session.completed',
      checkoutObject(`cs_${id}`, { subscription: id, userId }, { payment_status: 'unpaid' }),
    ),
];

export interface Delivered {
  /** How often each answer was given, by status and what it says: `200 applied`, `422 malformed_event`. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** The first answers of 5xx, each with the beginning of what was sent. */
  readonly wrong: readonly string[];
}

/** Delivers so many mutated events, properly signed, several at once. One source of choices gives one course of events. */
export async function deliverMutated(
  service: TestService,
  events: number,
  choice: Choice,
): Promise<Delivered> {
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  let left = events;
  const send = async (): Promise<void> => {
    for (; left > 0 && wrong.length < MOST_WRONG; ) {
      left -= 1;
      const userId = choice.of(MUTATED_USERS);
      const event = choice.of(MAKERS)(`sub_${userId}`, choice.of(PRICES), userId);
      const bent = mutated(JSON.parse(JSON.stringify(event)) as Json, choice);
      const { body, signature } = signed(JSON.stringify(bent));
      const answer = await service.post(body, signature);
      const outcome = `${answer.status} ${answer.body.code ?? answer.body.reason ?? answer.body.outcome}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (answer.status >= 500) wrong.push(`${outcome}: ${body.slice(0, 2_000)}`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, send));
  return { outcomes, wrong };
}
