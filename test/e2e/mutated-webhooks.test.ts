import { randomFrom } from '../support/lives.js';
import { Choice, type Json, mutated } from '../support/mutations.js';
import { TestService } from '../support/service.js';
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
} from '../support/stripe-events.js';

/** Mutated events to send: 50,000 in the soak. */
const EVENTS = Number(process.env.MUTATED_EVENTS ?? 300);
/** One seed, one course of events: the same in every `npm test`, another in every soak; the report names it. */
const SEED = Number(
  process.env.MUTATED_SEED ??
    (process.env.MUTATED_EVENTS === undefined ? 1_650_751_699 : Math.floor(Math.random() * 2 ** 32)),
);
/** Users and customers of the mutated events: few, so that what is wrong meets what is right. */
const USERS = 40;
const NEW_USERS = Math.min(100, Math.ceil(EVENTS / 10));
/** Deliveries under way at once. */
const LANES = 8;
const PRICES = ['price_plus', 'price_pro', 'price_seat', 'price_nobody'];

type Make = (id: string, price: string, user: object) => StripeEvent;

/** Events as Stripe sends them, before they are bent. */
const MAKERS: readonly Make[] = [
  (id, price, user) => stripeEvent('customer.subscription.created', subscriptionObject(id, price, user)),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.created',
      subscriptionObject2020(id, price, { ...user, status: 'trialing' }),
    ),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.updated',
      subscriptionObject(id, price, {
        ...user,
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
      subscriptionObject(id, price, { ...user, status: 'past_due' }),
      {
        previous: { status: 'active' },
      },
    ),
  (id, price, user) =>
    stripeEvent(
      'customer.subscription.deleted',
      subscriptionObject(id, price, { ...user, status: 'canceled' }),
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
  (id, _, user) => stripeEvent('customer.updated', customerObject(`cus_${id}`, user)),
  (id) => stripeEvent('customer.deleted', customerObject(`cus_${id}`, { deleted: true })),
  (id) =>
    stripeEvent(
      'checkout.session.completed',
      checkoutObject(`cs_${id}`, { subscription: id, userId: `m-${id}` }, { payment_status: 'unpaid' }),
    ),
];

describe(`Mutated webhooks (MUTATED_SEED=${SEED})`, () => {
  let service: TestService;
  beforeAll(async () => {
    service = await TestService.start();
  });
  afterAll(() => service.close());

  it(
    'are each answered by no 5xx, stop nothing, and leave everybody else with what they pay for',
    async () => {
      const choice = new Choice(randomFrom(SEED));
      const outcomes = new Map<string, number>();
      const wrong: string[] = [];
      let left = EVENTS;
      const send = async (): Promise<void> => {
        for (; left > 0 && wrong.length < 3; ) {
          left -= 1;
          const user = choice.below(USERS);
          const make = choice.of(MAKERS);
          const event = make(`sub_m${user}`, choice.of(PRICES), { metadata: { user_id: `m-${user}` } });
          const bent = mutated(JSON.parse(JSON.stringify(event)) as Json, choice);
          const { body, signature } = signed(JSON.stringify(bent));
          const answer = await service.post(body, signature);
          const outcome = `${answer.status} ${answer.body.code ?? answer.body.reason ?? answer.body.outcome}`;
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          if (answer.status >= 500) wrong.push(`${outcome}: ${body.slice(0, 2_000)}`);
        }
      };
      await Promise.all(Array.from({ length: LANES }, send));
      expect(wrong).toEqual([]);
      // Else nothing was tried: most are still events, some are none any more.
      expect(outcomes.get('200 applied') ?? 0).toBeGreaterThan(EVENTS / 10);
      expect(outcomes.get('422 malformed_event') ?? 0).toBeGreaterThan(0);

      for (let n = 0; n < NEW_USERS; n += 1) {
        const [userId, id] = [`new-${SEED}-${n}`, `sub_new${SEED}x${n}`];
        const metadata = { user_id: userId };
        const bought = await service.after(
          userId,
          stripeEvent('customer.subscription.created', subscriptionObject(id, 'price_pro', { metadata })),
          stripeEvent('invoice.paid', invoiceObject(`in_${id}`, id, 'price_pro')),
        );
        expect(bought).toMatchObject({ userId, plan: 'pro', status: 'active' });
      }
      for (let user = 0; user < USERS; user += 1) {
        expect((await service.get(`/v1/users/m-${user}/entitlements`)).status).toBe(200);
      }
      expect((await service.get('/health/ready')).status).toBe(200);
      const { generations } = service.tenure.projections;
      expect(await generations.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
    },
    Math.max(120_000, EVENTS * 100),
  );
});
