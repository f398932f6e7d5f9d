import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import type { EventEnvelope } from '../../src/events/event-envelope.js';
import { parseEvent } from '../../src/events/event-envelope.js';
import { Cost } from '../support/cost.js';
import { problemCode } from '../support/http-call.js';
import { wholeLog } from '../support/log.js';
import { startService, type TestService } from '../support/service.js';
import { holdingAt, SimulatedLives } from '../support/simulated-lives.js';
import { StripeApi } from '../support/stripe-api.js';
import {
  checkoutObject,
  customerObject,
  invoiceObject,
  type StripeEvent,
  stripeEvent,
  subscriptionObject,
  thinEvent,
} from '../support/stripe-events.js';
import { fraudWarningObject } from '../support/stripe-payments.js';
import { translated } from '../support/translated.js';
import { PATIENCE_MS, until } from '../support/until.js';

/** Thin events that come at once: 10,000 in the soak. */
const FLOOD = Number(process.env.THIN_EVENTS ?? 250);
/** Deliveries at once: more than the service has in hand, and no more than a listening socket takes. */
const AT_ONCE = 500;

/** People whose events come thin, and beside snapshots: 1,000 in the soak. */
const LIVES = Number(process.env.THIN_LIVES ?? 4);

describe('A thin event', () => {
  let api: StripeApi;
  let service: TestService;

  beforeAll(async () => {
    api = await StripeApi.start();
    service = await startService({ environment: { ...api.environment, STRIPE_REQUESTS_PER_SECOND: '125' } });
  });
  afterAll(async () => {
    await service.close();
    await api.close();
  });

  function subscribed(name: string, more: object = {}): object {
    return subscriptionObject(`sub_${name}`, 'price_plus', {
      livemode: false,
      metadata: { user_id: name },
      ...more,
    });
  }

  /** A v1 event that Stripe has, and the thin one that stands for it. */
  function known(event: StripeEvent, related: { type: string; id: string }): StripeEvent {
    api.has(event);
    return thinEvent(`v1.${event.type}`, related, { snapshot: event.id });
  }

  function begun(name: string): { event: StripeEvent; thin: StripeEvent } {
    const event = stripeEvent('customer.subscription.created', subscribed(name));
    return { event, thin: known(event, { type: 'subscription', id: `sub_${name}` }) };
  }

  async function streamOf(name: string): Promise<readonly EventEnvelope[]> {
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    return (await store.read(`${service.prefix}${name}`, 0)).map(parseEvent);
  }

  async function counted(outcome: string): Promise<number> {
    const { text } = await service.get('/metrics');
    const line = new RegExp(`^tenure_thin_events_total\\{outcome="${outcome}"\\} (\\d+)$`, 'm');
    return Number(line.exec(text)?.[1] ?? 0);
  }

  it('is recorded as the event that it stands for, under that one’s own id', async () => {
    const { event, thin } = begun('ann');
    const snapshot = await service.after('ann', thin);
    expect(snapshot).toMatchObject({ plan: 'plus', status: 'active' });
    const [recorded, ...more] = await streamOf('subscription-sub_ann');
    expect(more).toEqual([]);
    expect(recorded).toMatchObject({
      type: 'SubscriptionActivated',
      metadata: { stripeEventId: event.id, causationId: event.id, stripeEventType: event.type },
    });
  });

  it('counts once beside the same event as a snapshot, whichever comes first', async () => {
    const first = begun('bob');
    expect((await service.receive(first.event)).outcome).toBe('applied');
    expect((await service.receive(first.thin)).outcome).toBe('duplicate');
    const second = begun('eve');
    expect((await service.receive(second.thin)).outcome).toBe('applied');
    expect((await service.receive(second.event)).outcome).toBe('duplicate');
  });

  it.each([
    [
      'subscription',
      'subscription',
      'v1.customer.subscription.past_due',
      subscribed('cat'),
      'SubscriptionRetrieved',
    ],
    [
      'invoice',
      'invoice',
      'v1.invoice.paid',
      invoiceObject('in_cat', 'sub_cat', 'price_plus'),
      'SubscriptionInvoiceRetrieved',
    ],
    ['customer', 'customer', 'v1.customer.updated', customerObject('cus_cat'), 'CustomerRetrieved'],
    [
      'session',
      'checkout.session',
      'v1.checkout.session.completed',
      checkoutObject('cs_cat', { subscription: 'sub_cat', userId: 'cat' }),
      'CheckoutRetrieved',
    ],
    [
      'fraud warning',
      'radar.early_fraud_warning',
      'v1.radar.early_fraud_warning.created',
      fraudWarningObject('issfr_cat', 'ch_cat', 'pi_cat'),
      'PaymentRetrieved',
    ],
  ])('without a v1 event has the %s fetched, and counts once', async (_, type, name, object, recorded) => {
    api.has(object);
    const thin = thinEvent(name, { type, id: (object as { id: string }).id });
    expect(await service.receive(thin)).toMatchObject({ outcome: 'applied', event: recorded });
    expect((await service.receive(thin)).outcome).toBe('duplicate');
  });

  it('whose v1 event is no longer kept has the object fetched', async () => {
    api.has(subscribed('dan', { status: 'past_due' }));
    const related = { type: 'subscription', id: 'sub_dan' };
    const thin = thinEvent('v1.customer.subscription.updated', related, { snapshot: 'evt_gone' });
    expect(await service.receive(thin)).toMatchObject({ event: 'SubscriptionRetrieved' });
    const [retrieved] = await streamOf('subscription-sub_dan');
    expect(retrieved?.metadata).toMatchObject({
      stripeEventId: null,
      causationId: `retrieved/sub_dan/${thin.id}`,
    });
  });

  it('about what Stripe no longer has is ignored as gone, and counted', async () => {
    const before = await counted('gone');
    const thin = thinEvent(
      'v1.customer.updated',
      { type: 'customer', id: 'cus_gone' },
      { snapshot: 'evt_none' },
    );
    expect(await service.receive(thin)).toEqual({ received: true, outcome: 'ignored', reason: 'gone' });
    expect(await counted('gone')).toBe(before + 1);
  });

  it.each([
    [
      'of a type that is not handled',
      thinEvent('v1.customer.tax_id.created', { type: 'tax_id', id: 'txi_1' }),
      'unhandled_type',
    ],
    ['of Stripe’s own', thinEvent('v2.core.event_destination.ping', null), 'unhandled_type'],
    [
      'of another account',
      thinEvent('v1.customer.updated', { type: 'customer', id: 'cus_1' }, { context: 'acct_other' }),
      'other_account',
    ],
    [
      'of an account of an organisation',
      thinEvent('v1.customer.updated', { type: 'customer', id: 'cus_1' }, { context: 'org_1/acct_other' }),
      'other_account',
    ],
    [
      'of the other mode',
      thinEvent('v1.customer.updated', { type: 'customer', id: 'cus_1' }, { livemode: true }),
      'livemode_mismatch',
    ],
    [
      'about an invoice of no subscription',
      thinEvent('v1.invoice.paid', { type: 'invoice', id: 'in_other' }),
      'no_subscription',
    ],
  ])('%s is ignored', async (_, thin, reason) => {
    api.has({ id: 'in_other', object: 'invoice', status: 'paid', lines: { data: [] } });
    const asked = api.asked.length;
    expect(await service.receive(thin)).toEqual({ received: true, outcome: 'ignored', reason });
    expect(api.asked.length - asked).toBe(reason === 'no_subscription' ? 1 : 0);
  });

  it('that names neither an event nor an object is malformed', async () => {
    expect(problemCode(await service.deliver(thinEvent('v1.invoice.paid', null)))).toBe('malformed_event');
  });

  it.each([
    ['a limit', { kind: 'answer', status: 429, body: '{"error":{"message":"slow down"}}' }],
    ['an error', { kind: 'answer', status: 500, body: '{"error":{"message":"oops"}}' }],
    ['a closed connection', { kind: 'hangs_up' }],
    ['another event', { kind: 'answer', status: 200, body: '{"id":"evt_other"}' }],
  ] as const)('at %s of Stripe is 503, and nothing is missing once it comes again', async (what, how) => {
    const name = `f${what.length}`;
    const { event, thin } = begun(name);
    api.misbehaves(event.id, how);
    const refused = await service.deliver(thin);
    expect([refused.status, problemCode(refused)]).toEqual([503, 'stripe_unavailable']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await streamOf(`subscription-sub_${name}`)).toEqual([]);
    expect(await service.after(name, thin)).toMatchObject({ plan: 'plus' });
  });

  it('waits for its turn; of a flood what waits too long is 503, and none is lost in the end', async () => {
    const cost = new Cost(`${FLOOD} thin events at once`, FLOOD >= 1_000);
    const asked = api.asked.length;
    const before = await service.logged('SubscriptionActivated');
    let waiting = Array.from({ length: FLOOD }, (_, n) => begun(`w${n}`).thin);
    const refusals: number[] = [];
    await until(
      'all to be received',
      async () => {
        const some = waiting.slice(0, AT_ONCE);
        const answers = await Promise.all(some.map((thin) => service.deliver(thin)));
        const refused = some.filter((_, n) => answers[n]?.status !== 200);
        waiting = [...waiting.slice(AT_ONCE), ...refused];
        refusals.push(...answers.map(({ status }) => status).filter((status) => status !== 200));
        return waiting.length === 0;
      },
      PATIENCE_MS * 5,
    );
    expect(refusals.filter((status) => status !== 503)).toEqual([]);
    expect(await service.logged('SubscriptionActivated')).toBe(before + FLOOD);
    cost.tell(api.asked.length - asked, `${refusals.length} answered 503 and sent again`);
  });
});

describe('Of lives whose events come thin,', () => {
  it(
    'each event is recorded once beside its snapshot, and thin alone the same holds',
    async () => {
      const cost = new Cost(`thin events of ${LIVES} lives`, LIVES >= 100);
      const lives = await SimulatedLives.start(25);
      const plans = `${lives.planFile}policy: { dispute: suspend, fullRefund: suspend }\n`;
      const given = { plans, environment: lives.environment };
      const both = await startService(given);
      const thin = await startService(given);
      try {
        lives.deliverTo(both.url);
        lives.deliverTo(both.url, 'thin');
        lives.deliverTo(thin.url, 'thin');
        await lives.live(LIVES, 'whole', 'troubled');
        const told = lives.events.filter((event) => translated(event).outcome === 'recorded');
        const ids = told.map(({ id }) => id).sort();
        expect(await idsIn(both, ids.length)).toEqual(ids);
        expect(await idsIn(thin, ids.length)).toEqual(ids);
        const whole = await holdingAt(both, LIVES);
        expect(Object.values(whole)).toContainEqual(expect.objectContaining({ subscriptionActive: true }));
        expect(await holdingAt(thin, LIVES)).toEqual(whole);
        cost.tell(lives.simulator.requests, 'those by which people live among them');
      } finally {
        await both.close();
        await thin.close();
        await lives.close();
      }
    },
    PATIENCE_MS * 2 + LIVES * 5_000,
  );
});

/** Ids of the Stripe events in the log of a service, as soon as there are so many. */
async function idsIn({ tenure }: TestService, events: number): Promise<readonly string[]> {
  const store = tenure.app.get<EventStore>(EVENT_STORE);
  return until('all events to be recorded', async () => {
    const all = (await wholeLog(store)).flatMap((event) => parseEvent(event).metadata.stripeEventId ?? []);
    return all.length >= events && all.sort();
  });
}
