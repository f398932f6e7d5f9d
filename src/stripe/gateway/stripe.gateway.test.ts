import { StripeApi } from '../../../test/support/stripe-api.js';
import { itemObject, subscriptionObject } from '../../../test/support/stripe-events.js';
import type { StripeOutcome } from '../../observability/metrics.js';
import { StripeGateway } from './stripe.gateway.js';

const SUB = { kind: 'subscription', id: 'sub_1' } as const;
/** Nothing waits for its turn. */
const UNBOUNDED = { take: () => ({ taken: true, waitMs: 0 }) };

describe('the gateway to Stripe', () => {
  let api: StripeApi;
  let gateway: StripeGateway;
  let outcomes: StripeOutcome[];

  function gatewayTo({ url, key }: StripeApi, timeoutMs: number): StripeGateway {
    return new StripeGateway({
      secretKey: key,
      apiBase: url,
      timeoutMs,
      budget: UNBOUNDED,
      onRequest: (outcome) => outcomes.push(outcome),
    });
  }

  beforeEach(async () => {
    outcomes = [];
    api = await StripeApi.start();
    gateway = gatewayTo(api, 10_000);
  });
  afterEach(async () => {
    gateway.close();
    await api.close();
  });

  it('brings a subscription as Stripe shows it, with the second of the answer', async () => {
    const shown = subscriptionObject('sub_1', 'price_plus', { status: 'past_due' });
    api.has(shown);
    api.clockAhead = 1_000_000;
    const before = Math.floor(Date.now() / 1_000);
    const answer = await gateway.object(SUB);
    expect(answer).toMatchObject({
      outcome: 'answered',
      object: shown,
      apiVersion: '2026-10-28.endive',
    });
    if (answer.outcome !== 'answered') throw new Error('no answer');
    expect(answer.answeredAt).toBeGreaterThanOrEqual(before + 1_000_000);
    expect(answer.answeredAt).toBeLessThanOrEqual(Date.now() / 1_000 + 1_000_000);
    expect(outcomes).toEqual(['answered']);
    expect(api.asked.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v1/subscriptions/sub_1']);
  });

  it('lists the items that a subscription does not hold itself', async () => {
    const data = Array.from({ length: 250 }, (_, n) => itemObject(`price_${n}`));
    api.has(subscriptionObject('sub_1', '', { items: { object: 'list', data, has_more: false } }));
    expect(await gateway.object(SUB)).toMatchObject({
      outcome: 'answered',
      object: { items: { data, has_more: false } },
    });
    expect(api.asked).toHaveLength(4);
  });

  it('has no answer when its items cannot be listed', async () => {
    const data = Array.from({ length: 11 }, (_, n) => itemObject(`price_${n}`));
    api.has(subscriptionObject('sub_1', '', { items: { object: 'list', data, has_more: false } }));
    api.misbehaves('sub_1', { kind: 'held', until: Promise.resolve() }, answer(429, '{"error":{}}'));
    expect(await gateway.object(SUB)).toMatchObject({ outcome: 'rate_limited', status: 429 });
    expect(outcomes).toEqual(['answered', 'rate_limited']);
  });

  it.each<[string, Parameters<StripeApi['misbehaves']>[1], StripeOutcome, number | null]>([
    ['a limit', answer(429, '{"error":{"message":"slow down"}}'), 'rate_limited', 429],
    ['an error', answer(500, '{"error":{"message":"oops"}}'), 'failed', 500],
    ['a page of a proxy', answer(502, '<html>'), 'failed', null],
    ['a text', answer(200, '"ok"'), 'failed', null],
    ['a number', answer(200, ' 5'), 'failed', null],
    ['null', answer(200, 'null'), 'failed', null],
    ['a list', answer(200, '[]'), 'failed', null],
    ['nothing', answer(200, ''), 'failed', null],
    ['an object that is none', answer(200, '{"id":"sub_1"}'), 'failed', null],
    [
      'an answer without a date',
      answer(200, JSON.stringify(subscriptionObject('sub_1', 'p')), { date: 'soon' }),
      'failed',
      null,
    ],
    ['a way elsewhere', answer(302, '', { location: 'http://127.0.0.1:9/' }), 'failed', null],
    ['a closed connection', { kind: 'hangs_up' }, 'failed', null],
  ])('has no answer, and says why, at %s', async (_, how, outcome, status) => {
    api.has(subscriptionObject('sub_1', 'price_plus'));
    api.misbehaves('sub_1', how);
    expect(await gateway.object(SUB)).toMatchObject({ outcome, status });
    expect(await gateway.object(SUB)).toMatchObject({ outcome: 'answered' });
  });

  it('has no answer for what Stripe does not know', async () => {
    expect(await gateway.object(SUB)).toEqual({
      outcome: 'not_found',
      status: 404,
      requestId: 'req_1',
      againInMs: 5_000,
    });
    expect(outcomes).toEqual(['not_found']);
  });

  it('has no answer when its key is none', async () => {
    const other = new StripeGateway({
      secretKey: 'sk_test_other',
      apiBase: api.url,
      budget: UNBOUNDED,
      onRequest: (outcome) => outcomes.push(outcome),
    });
    expect(await other.object(SUB)).toMatchObject({ outcome: 'failed', status: 401 });
  });

  it('waits no longer than it was told, for the whole body', async () => {
    const impatient = gatewayTo(api, 200);
    api.has(subscriptionObject('sub_1', 'price_plus'));
    api.misbehaves(
      'sub_1',
      { kind: 'held', until: new Promise(() => undefined) },
      { kind: 'stalls_in_body' },
    );
    expect(await impatient.object(SUB)).toMatchObject({ outcome: 'timed_out' });
    expect(await impatient.object(SUB)).toMatchObject({ outcome: 'timed_out' });
    expect(await gateway.object(SUB)).toMatchObject({ outcome: 'answered' });
  });

  it('writes once more by the same key where the reply is lost, and tells what Stripe refuses with its code', async () => {
    const write = {
      method: 'POST',
      path: '/v1/subscriptions/sub_1',
      params: { cancel_at_period_end: true, items: [{ id: 'si_1' }] },
      idempotencyKey: 'key_1',
    } as const;
    api.misbehaves('sub_1', { kind: 'hangs_up' }, answer(200, '{"id":"sub_1"}'));
    expect(await gateway.write(write)).toMatchObject({ outcome: 'answered', object: { id: 'sub_1' } });
    expect(api.asked.map(({ method, headers }) => [method, headers['idempotency-key']])).toEqual([
      ['POST', 'key_1'],
      ['POST', 'key_1'],
    ]);
    const error = { type: 'card_error', code: 'card_declined', param: 'items', message: 'no' };
    api.misbehaves('sub_1', answer(402, JSON.stringify({ error })));
    expect(await gateway.write(write)).toMatchObject({
      outcome: 'refused',
      status: 402,
      code: 'card_declined',
      param: 'items',
    });
    api.misbehaves('sub_1', answer(500, '{"error":{"type":"api_error"}}'), answer(429, '{"error":{}}'));
    expect(await gateway.write(write)).toMatchObject({ outcome: 'rate_limited', status: 429 });
    expect(await gateway.write({ ...write, method: 'DELETE' })).toMatchObject({
      outcome: 'refused',
      code: 'resource_missing',
    });
    expect(api.asked).toHaveLength(6);
  });

  it('ends what is under way when it is closed', async () => {
    const arrived = new Promise<void>((resolve) => {
      api.misbehaves('sub_1', {
        kind: 'held',
        get until() {
          resolve();
          return new Promise<void>(() => undefined);
        },
      });
    });
    const asked = gateway.object(SUB);
    await arrived;
    gateway.close();
    expect(await asked).toMatchObject({ outcome: 'aborted' });
    expect(await gateway.object(SUB)).toMatchObject({ outcome: 'aborted' });
  });
});

function answer(status: number, body: string, headers: object = {}): Parameters<StripeApi['misbehaves']>[1] {
  return { kind: 'answer', status, body, headers };
}
