import type { ThinOutcome } from '../observability/metrics.js';
import type { NoAnswer, StripeAnswer } from '../stripe/gateway/stripe-answers.js';
import { ThinEvents, type ThinTrouble } from './thin-events.js';

/** Thin events whose fetching ends when, and as, the test says. */
function underHand() {
  const asked: { readonly id: string; answer(answer: StripeAnswer): void }[] = [];
  const outcomes: ThinOutcome[] = [];
  const troubles: ThinTrouble[] = [];
  const ask = (id: string) => new Promise<StripeAnswer>((answer) => asked.push({ id, answer }));
  const thinEvents = new ThinEvents({
    gateway: { event: ask, object: ({ id }) => ask(id) },
    claims: { userIdMetadataKey: 'user_id', userIdPattern: null },
    livemode: false,
    metrics: { thinEvent: (outcome) => outcomes.push(outcome) },
    onTrouble: (trouble) => troubles.push(trouble),
  });
  const fetch = (n: number, changes: object = {}) => {
    const about = { kind: 'customer', id: `cus_${n}` } as const;
    const thin = {
      outcome: 'to_fetch',
      eventId: `evt_${n}`,
      type: 'v1.customer.updated',
      about,
      livemode: false,
    };
    return thinEvents.fetch({ ...thin, snapshot: null, ...changes } as Parameters<ThinEvents['fetch']>[0]);
  };
  return { asked, outcomes, troubles, fetch };
}

function shown(id: string, more: object = {}): StripeAnswer {
  return {
    outcome: 'answered',
    object: { id, livemode: false, ...more },
    answeredAt: 1_793_526_000,
    apiVersion: null,
  };
}

describe('The fetching of what thin events stand for', () => {
  it('holds 200 deliveries and lets further ones come again, until there is room', async () => {
    const { asked, outcomes, fetch } = underHand();
    const held = Array.from({ length: 200 }, (_, n) => fetch(n));
    await expect(fetch(200)).rejects.toMatchObject({
      code: 'stripe_unavailable',
      headers: { 'retry-after': '4' },
    });
    expect([asked.length, outcomes]).toEqual([200, ['held_back']]);
    asked[0]?.answer(shown('cus_0'));
    await expect(held[0]).resolves.toMatchObject({ of: 'object' });
    void fetch(201);
    expect(asked.at(-1)?.id).toBe('cus_201');
  });

  it.each<[string, StripeAnswer, string]>([
    ['what Stripe does not answer', failed('timed_out'), '5'],
    ['what would wait too long for its turn', { ...failed('held_back'), againInMs: 6_100 }, '7'],
    ['an answer about something else', shown('cus_other'), '60'],
    ['an answer of the other mode', shown('cus_1', { livemode: true }), '60'],
    ['an answer of the time to come', { ...shown('cus_1'), answeredAt: 4_000_000_000 } as StripeAnswer, '60'],
  ])('has Stripe deliver again at %s', async (_, answer, seconds) => {
    const { asked, troubles, fetch } = underHand();
    const fetched = fetch(1);
    asked[0]?.answer(answer);
    await expect(fetched).rejects.toMatchObject({
      code: 'stripe_unavailable',
      status: 503,
      headers: { 'retry-after': seconds },
    });
    expect(troubles).toMatchObject([{ event: 'evt_1', type: 'v1.customer.updated' }]);
  });

  it('takes nothing for what stands beside an event of a kind that is not recorded', async () => {
    const { asked, outcomes, fetch } = underHand();
    const fetched = fetch(1, { snapshot: 'evt_1', about: null });
    asked[0]?.answer(failed('not_found'));
    await expect(fetched).resolves.toEqual({ of: 'nothing', reason: 'not_retrievable' });
    expect(outcomes).toEqual(['not_retrievable']);
  });
});

function failed(outcome: 'failed' | 'timed_out' | 'held_back' | 'not_found'): NoAnswer {
  return { outcome, status: null, requestId: null, againInMs: 5_000 };
}
