import { AUTHORIZED, startService, type TestService } from '../support/service.js';
import { stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { until } from '../support/until.js';

const YEAR_MS = 365 * 86_400_000;
const HOUR_MS = 3_600_000;

describe('A service whose clock is wrong', () => {
  let service: TestService;
  let offMs: number;
  /** How often its clock was looked at. */
  let looks: number;
  beforeEach(() => {
    offMs = 0;
  });
  afterEach(() => service.close());

  async function start(): Promise<void> {
    const now = (): number => {
      looks += 1;
      return Date.now() + offMs;
    };
    service = await startService({ hooks: { threads: 'none', now } });
  }

  async function health(): Promise<{ readonly status: number; readonly problems: readonly string[] }> {
    const { status, body } = await service.get('/health/ready');
    return { status, problems: body.problems };
  }

  it.each([
    ['a year ahead', YEAR_MS],
    ['an hour behind', -HOUR_MS],
  ])('%s writes nothing, says so, and goes on when it is right again', async (_, wrong) => {
    await start();
    const sold = subscriptionObject('sub_ends', 'price_plus', {
      metadata: { user_id: 'ender' },
      cancel_at: Math.floor((Date.now() + 2 * HOUR_MS) / 1_000),
    });
    await service.after('ender', stripeEvent('customer.subscription.created', sold));
    const before = await service.logged();

    offMs = wrong;
    const later = stripeEvent('customer.subscription.updated', sold);
    const refused = await service.deliver(later);
    expect(refused.status).toBe(503);
    expect(refused.body.code).toBe('clock_differs');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const linked = await fetch(`${service.tenure.url}/v1/customers/cus_clock/link`, {
      method: 'PUT',
      headers: { ...AUTHORIZED, 'content-type': 'application/json' },
      body: JSON.stringify({ userId: 'somebody' }),
    });
    expect(await linked.json()).toMatchObject({ status: 503, code: 'clock_differs' });
    expect(await health()).toMatchObject({ status: 503, problems: ['clock_differs'] });
    // By a clock a year ahead the subscription has ended: who writes what the clock changes must have looked meanwhile.
    looks = 0;
    await until('it looked what is due', () => looks >= 2);
    expect(await service.logged()).toBe(before);

    offMs = 0;
    expect(await health()).toEqual({ status: 200, problems: [] });
    expect((await service.deliver(later)).body).toMatchObject({ outcome: 'applied' });
    expect(await service.logged('AccessDeadlineReached')).toBe(0);
  });

  it('from the start is up and writes nothing, and publishes the catalogue when it is right', async () => {
    offMs = YEAR_MS;
    await start();
    expect(await health()).toMatchObject({
      status: 503,
      problems: expect.arrayContaining(['clock_differs']),
    });
    expect(await service.logged()).toBe(0);
    offMs = 0;
    await until('the catalogue is published', async () => (await service.logged()) === 1);
    await until('it is ready', async () => (await health()).status === 200);
    const isAnswered = async (): Promise<boolean> => {
      const { status, body } = await service.get('/v1/users/nobody/entitlements');
      return status === 200 && body.plan === 'free';
    };
    await until('the default plan is answered', isAnswered);
  });
});
