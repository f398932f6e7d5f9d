import { buyer, PRO } from '../support/buyer.js';
import { holdUntilSeen } from '../support/held-checkouts.js';
import { problemCode } from '../support/http-call.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent, SECOND_SECRET, signedHeaders, thinEvent } from '../support/stripe-events.js';

describe('Signed webhooks', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
  });
  afterAll(() => service.close());

  it('turn a purchase into access, an unpaid upgrade into nothing yet, and its payment into the higher plan', async () => {
    const ada = buyer('ada');
    await service.receive(ada.started('active').body);
    const paid = await service.receive(ada.pays('subscription_create').body);
    expect(paid).toMatchObject({ outcome: 'applied', event: 'SubscriptionPaid' });
    const bought = await service.entitlements('ada', paid.position);
    expect(bought).toMatchObject({ plan: 'plus', role: 'paid', status: 'active', subscriptionActive: true });

    const swapped = await service.receive(ada.switchesTo(PRO).body);
    const waiting = await service.entitlements('ada', swapped.position);
    expect(waiting).toMatchObject({ plan: 'plus', pendingPayment: { plan: 'pro' } });

    const upgraded = await service.receive(ada.pays('subscription_update').body);
    const after = await service.entitlements('ada', upgraded.position);
    expect(after).toMatchObject({ plan: 'pro', pendingPayment: null });

    const ended = await service.receive(ada.ends().body);
    expect(await service.entitlements('ada', ended.position)).toMatchObject({
      plan: 'free',
      status: 'canceled',
    });
  });

  it('count once, however often they are delivered', async () => {
    const body = buyer('bob').started('active').body;
    const first = await service.receive(body);
    expect(first.outcome).toBe('applied');
    const before = await service.logged();
    const again = await Promise.all([1, 2, 3, 4].map(() => service.receive(body)));
    expect(again.map(({ outcome }) => outcome)).toEqual(Array(4).fill('duplicate'));
    expect(await service.logged()).toBe(before);
  });

  it('count once when all deliveries come at the same moment', async () => {
    const body = buyer('eve').started('active').body;
    const outcomes = (await Promise.all(Array.from({ length: 8 }, () => service.receive(body)))).map(
      (r) => r.outcome,
    );
    expect(outcomes.sort()).toEqual(['applied', ...Array<string>(7).fill('duplicate')]);
  });

  it('are in the log when they are acknowledged', async () => {
    const before = await service.logged();
    await service.receive(customerEvent());
    expect(await service.logged()).toBe(before + 1);
  });

  it('may be signed with the second secret, during a rotation', async () => {
    const body = customerEvent();
    const headers = signedHeaders(body, SECOND_SECRET);
    const answer = await service.call({ method: 'POST', path: '/webhooks/stripe', headers, body });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['a type that is not handled', { type: 'charge.succeeded' }, 'unhandled_type'],
    ['an event of a Connect account', { account: 'acct_1' }, 'connect_account'],
    [
      'a thin event of no handled type',
      { object: 'v2.core.event', type: 'v1.customer.tax_id.created' },
      'unhandled_type',
    ],
    [
      'an invoice of no subscription',
      { type: 'invoice.paid', data: { object: { id: 'in_1', status: 'paid' } } },
      'no_subscription',
    ],
  ])('of %s are ignored, with the reason', async (_, changes, reason) => {
    const before = await service.logged();
    expect(await service.receive(customerEvent(changes))).toEqual({
      received: true,
      outcome: 'ignored',
      reason,
    });
    expect(await service.logged()).toBe(before);
  });

  it('hold the reply to a paid checkout until its subscription can be seen', async () => {
    const cara = buyer('cara');
    const letGo = holdUntilSeen(service.tenure);
    const checkout = service.receive(cara.checksOut('cara').body);
    await service.receive(cara.started('active').body);
    expect((await checkout).outcome).toBe('applied');
    letGo();
    const { plan } = await service.entitlements('cara');
    expect(plan).toBe('plus');
  });

  it('do not hold the reply to a paid checkout for ever, but for about two seconds', async () => {
    const start = performance.now();
    expect((await service.receive(buyer('dan').checksOut('dan').body)).outcome).toBe('applied');
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(1_900); // it was held, and then let go of
  });

  it('are refused by a method that is not POST', async () => {
    const answer = await service.call({ path: '/webhooks/stripe' });
    expect(problemCode(answer)).toBe('method_not_allowed');
    expect(answer.headers.allow).toBe('POST');
  });

  it('of thin events are refused without a key to fetch what they stand for, and the health check says so', async () => {
    const before = await service.logged();
    const related = { type: 'invoice', id: 'in_1' };
    const answer = await service.deliver(thinEvent('v1.invoice.paid', related, { snapshot: 'evt_1' }));
    expect([answer.status, problemCode(answer)]).toEqual([503, 'thin_events_need_api_key']);
    expect(answer.headers['retry-after']).toBe('60');
    expect(await service.logged()).toBe(before);
    const ready = await service.call({ path: '/health/ready' });
    expect(ready.body).toMatchObject({ status: 'degraded', problems: ['thin_events_need_api_key'] });
  });

  it('are all there is without a key: nothing can be imported', async () => {
    const answer = await service.ask('POST', '/v1/ops/imports');
    expect([answer.status, problemCode(answer)]).toEqual([409, 'stripe_key_missing']);
  });

  it('of the other mode are ignored, and the health check says so', async () => {
    const before = await service.logged();
    const receipt = await service.receive(customerEvent({ livemode: true }));
    expect(receipt).toEqual({ received: true, outcome: 'ignored', reason: 'livemode_mismatch' });
    expect(await service.logged()).toBe(before);
    const ready = await service.call({ path: '/health/ready' });
    expect(ready.body).toMatchObject({
      status: 'degraded',
      problems: ['livemode_mismatch', 'thin_events_need_api_key'],
    });
  });
});
