import fc from 'fast-check';
import { GOLDEN_EVENTS, goldenEvent } from '../../../test/support/golden-events.js';
import { planCatalogSchema } from '../../events/catalog.events.js';
import type { EventEnvelope } from '../../events/event-envelope.js';
import { checkoutStory, reportedStatus } from './checkout-status.js';
import { CheckoutStatusService } from './checkout-status.service.js';
import { isInForce } from './in-force.js';

const AT = '2026-11-29T10:00:00.000Z';
const SECOND = Date.parse(AT) / 1_000;

function told(
  type:
    | 'CheckoutStarted'
    | 'CheckoutCompleted'
    | 'CheckoutPaymentSucceeded'
    | 'CheckoutPaymentFailed'
    | 'CheckoutExpired',
  data: object = {},
): EventEnvelope {
  const golden = goldenEvent(type);
  return { ...golden, data: { ...golden.data, ...data }, metadata: { recordedAt: AT } } as EventEnvelope;
}

const STARTED = told('CheckoutStarted', { expiresAt: SECOND + 86_400 });
const PAID = told('CheckoutCompleted', { status: 'complete', paymentStatus: 'paid' });
const UNPAID = told('CheckoutCompleted', { status: 'complete', paymentStatus: 'unpaid' });

describe('The story of a checkout', () => {
  it.each<[string, readonly EventEnvelope[], number, string]>([
    ['nothing that followed yet', [], 10, 'open'],
    ['nothing that followed in time', [], 90_000, 'expired'],
    ['a payment', [PAID], 10, 'complete'],
    ['a payment that Stripe told after the end', [PAID], 90_000, 'complete'],
    ['money on its way', [UNPAID], 10, 'processing'],
    ['money that came', [UNPAID, told('CheckoutPaymentSucceeded')], 10, 'complete'],
    ['money that did not come', [UNPAID, told('CheckoutPaymentFailed')], 10, 'payment_failed'],
    ['an end', [told('CheckoutExpired')], 10, 'expired'],
  ])('with %s is told by its stream, in any order', (_what, events, after, status) => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...events], { minLength: events.length }), (shuffled) => {
        expect(checkoutStory([STARTED, ...shuffled], SECOND + after)?.status).toBe(status);
      }),
    );
  });

  it('is none of what Tenure did not begin', () => {
    expect(checkoutStory([PAID], SECOND)).toBeNull();
    expect(reportedStatus([])).toBeNull();
  });
});

describe('What a checkout was begun for', () => {
  const catalog = planCatalogSchema.parse({
    default: 'free',
    plans: {
      free: { rank: 0, role: 'free' },
      plus: { rank: 1, role: 'paid' },
      pro: { rank: 2, role: 'paid' },
    },
  });
  const golden = goldenEvent('CheckoutStarted');
  if (golden.type !== 'CheckoutStarted') throw new Error('another event came');
  const started = {
    ...golden.data,
    plan: 'plus',
    price: 'plus_m',
    quantity: 2,
    addons: [],
    subscription: null,
  };
  const subscription = (price: string, quantity: number) => ({
    subscription: 'sub_1',
    customer: 'cus_1',
    status: 'active',
    items: [{ price, quantity }],
    currentPeriodEnd: null,
    cancelAt: null,
    seenAt: null,
  });
  const plus = { plan: 'plus', pendingPayment: null };
  const pending = { plan: 'pro', price: 'p', since: AT, invoice: null, reason: 'no_invoice' } as const;

  it.each<[string, Parameters<typeof isInForce>, boolean]>([
    ['holds', [started, plus, [subscription('plus_m', 2)], catalog], true],
    ['holds with more units', [started, plus, [subscription('plus_m', 3)], catalog], true],
    ['does not hold with fewer units', [started, plus, [subscription('plus_m', 1)], catalog], false],
    ['does not hold by another price', [started, plus, [subscription('plus_y', 2)], catalog], false],
    [
      'does not hold below its plan',
      [started, { ...plus, plan: 'free' }, [subscription('plus_m', 2)], catalog],
      false,
    ],
    [
      'does not hold while a payment is awaited',
      [started, { ...plus, pendingPayment: pending }, [subscription('plus_m', 2)], catalog],
      false,
    ],
    [
      'does not hold by another subscription',
      [{ ...started, subscription: 'sub_2' }, plus, [subscription('plus_m', 2)], catalog],
      false,
    ],
    ['for good holds by the plan alone', [{ ...started, mode: 'payment' }, plus, [], catalog], true],
    [
      'for good does not hold below its plan',
      [{ ...started, mode: 'payment' }, { ...plus, plan: 'free' }, [], catalog],
      false,
    ],
  ])('%s', (_what, given, expected) => {
    expect(isInForce(...given)).toBe(expected);
  });
});

it('A wait for a checkout ends when the token that asks does, and is asked no longer by a key', async () => {
  const stored = GOLDEN_EVENTS.find(({ name }) => name === 'CheckoutStarted.v1')?.stored;
  if (stored === undefined) throw new Error('no golden file');
  let [waits, now] = [0, 1_000];
  const service = new CheckoutStatusService({
    store: { read: async () => [stored] },
    streamPrefix: 'tenure.',
    reader: { read: async () => ({ snapshot: { plan: 'free', pendingPayment: null } }) } as never,
    facts: { subscriptions: async () => [] },
    ops: { currentCatalog: async () => ({ default: 'free', plans: {}, addons: {} }) } as never,
    engine: {
      nextChange: async () => {
        waits += 1;
        now += 2_000_000_000_000; // the session expires meanwhile
      },
    },
    now: () => now,
  });
  const userId = checkoutUser(stored.data);
  const wait = (endsAt: number | null) => service.status('cs_live_a1B2', 25, { userId, endsAt });
  expect(await wait(1_000)).toMatchObject({ status: 'open' });
  expect(waits).toBe(0);
  expect(await wait(null)).toMatchObject({ status: 'expired' });
  expect(waits).toBe(1);
});

function checkoutUser(data: string): string {
  return String(JSON.parse(data).userId);
}
