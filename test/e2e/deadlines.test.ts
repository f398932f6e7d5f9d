import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { AdvancingClock } from '../support/advancing-clock.js';
import { wholeLog } from '../support/log.js';
import { startService, type TestService } from '../support/service.js';
import { stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';

describe('A change by time, in a service that hears nothing more', () => {
  const clock = new AdvancingClock();
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ hooks: { now: clock.now } });
  });
  afterAll(() => service.close());

  it('is written once, not before its instant, as it was answered through the clock', async () => {
    const { end } = clock;
    const at = new Date(end).toISOString();
    const sold = subscriptionObject('sub_ends', 'price_plus', {
      metadata: { user_id: 'ender' },
      cancel_at: end / 1_000,
    });
    const bought = await service.after('ender', stripeEvent('customer.subscription.created', sold));
    expect(bought).toMatchObject({ plan: 'plus', validUntil: at, revocationVersion: 1 });

    clock.advance();
    const ended = await until('the clock to end it', async () => {
      const { body, headers } = await service.get('/v1/users/ender/entitlements');
      return body.plan === 'free' && { body, etag: headers.etag };
    });
    expect(ended.body).toMatchObject({ status: 'canceled', revocationVersion: 2, changedAt: at });

    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const reached = async () =>
      (await wholeLog(store)).filter(({ type }) => type === 'AccessDeadlineReached');
    const [event] = await until('it to be written', async () => {
      const found = await reached();
      return found.length > 0 && found;
    });
    if (event === undefined) throw new Error('an event that was there is gone');
    const userId = await service.storedId('ender');
    expect(event).toMatchObject({ stream: `${service.prefix}deadline-${userId}`, revision: 0 });
    expect(JSON.parse(event.data)).toEqual({ userId, at });
    const { recordedAt, actor } = JSON.parse(event.metadata);
    expect(actor).toBe('service');
    expect(Date.parse(recordedAt)).toBeGreaterThanOrEqual(end);

    const { body, headers } = await service.get(`/v1/users/ender/entitlements?minPosition=${event.position}`);
    expect({ body, etag: headers.etag }).toEqual(ended);
    const { rows } = await service.tenure.pool.query(
      'select cause, counter, valid_from from tenure.entitlement_history order by seq',
    );
    expect(rows).toEqual([
      expect.objectContaining({ cause: 'event', counter: 1 }),
      { cause: 'time', counter: 2, valid_from: new Date(at) },
    ]);
    const { text } = await service.get('/metrics');
    expect(text).toMatch(/^tenure_deadlines_total\{outcome="appended"\} 1$/m);
    expect(text).toMatch(/^tenure_deadline_lag_seconds \d/m);
    await service.after('ender', stripeEvent('customer.subscription.updated', sold));
    expect(await reached()).toHaveLength(1);
  });
});
