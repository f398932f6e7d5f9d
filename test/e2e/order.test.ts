import fc from 'fast-check';
import { SimulatedClock } from '../../demo/stripe/simulated-clock.js';
import { SimulatedSubscription, type StripeEvent } from '../../demo/stripe/simulated-subscription.js';
import type { Answer } from '../support/http-call.js';
import { logInEventStoreDb } from '../support/log.js';
import { startService, type TestService } from '../support/service.js';
import { now, signed } from '../support/stripe-events.js';

const PLUS = { id: 'price_plus', product: 'prod_plus', name: 'Plus', unitAmount: 1_000 };
const PRO = { id: 'price_pro', product: 'prod_pro', name: 'Pro', unitAmount: 2_900 };

const STEPS: Readonly<Record<string, (sub: SimulatedSubscription) => StripeEvent>> = {
  pastDue: (sub) => sub.becomes('past_due'),
  active: (sub) => sub.becomes('active'),
  unpaid: (sub) => sub.becomes('unpaid'),
  toPro: (sub) => sub.switchesTo(PRO),
  toPlus: (sub) => sub.switchesTo(PLUS),
  paid: (sub) => sub.pays('subscription_update'),
  failed: (sub) => sub.failsToPay('subscription_cycle'),
  renewed: (sub) => sub.renews(),
  toCancel: (sub) => sub.cancelsAtPeriodEnd(),
};

interface Step {
  readonly what: string;
  /** Seconds since the step before; 0 makes a chain within one second. */
  readonly after: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(...Object.keys(STEPS)),
  after: fc.constantFrom(0, 0, 30),
});
/** A plan swapped, paid for and swapped back, and a status that goes in a circle, all within one second. */
const CHAIN: readonly Step[] = ['toPro', 'paid', 'pastDue', 'active', 'toPlus', 'toPro'].map((what) => ({
  what,
  after: 0,
}));
const life = fc.record({
  steps: fc.oneof(fc.array(step, { minLength: 6, maxLength: 6 }), fc.constant(CHAIN)),
  ends: fc.boolean(),
});

let service: TestService;
let begin: number;
let lives = 0;
beforeAll(async () => {
  service = await startService();
  begin = now() - 7_200;
});
afterAll(() => service.close());

/** The same life under ids of its own: names of one length, so that ids sort alike. */
function tell({ steps, ends }: { readonly steps: readonly Step[]; readonly ends: boolean }) {
  lives += 1;
  const name = `N${String(lives).padStart(6, '0')}N`;
  const clock = new SimulatedClock(begin);
  const sub = new SimulatedSubscription(clock, { name, userId: name, price: PLUS });
  const events = [sub.started('incomplete'), sub.becomes('active')];
  for (const { what, after } of steps) {
    clock.pass(after);
    const happens = STEPS[what];
    if (happens === undefined) throw new Error(`no step ${what}`);
    events.push(happens(sub));
  }
  if (ends) events.push(sub.ends());
  return { name, events };
}

/**
 * Delivers events one by one; the snapshot after the last, told as if all lives had one name. Each event is recorded
 * at its first delivery and never again: its id is the idempotence key of its stream.
 */
async function outcomeOf(name: string, events: readonly StripeEvent[]): Promise<Answer['body']> {
  const before = await service.logged();
  const recorded = new Set<string>();
  let last = 0n;
  for (const event of events) {
    const { body, signature } = signed(event.body);
    const answer = await service.post(body, signature);
    expect(answer.status).toBe(200);
    expect(answer.body.outcome).toBe(recorded.has(event.id) ? 'duplicate' : 'applied');
    recorded.add(event.id);
    const position = BigInt(answer.body.position);
    if (position > last) last = position;
  }
  expect(await service.logged()).toBe(before + recorded.size);
  const { revocationVersion, position, changedAt, ...rest } = await service.entitlements(name, String(last));
  expect(revocationVersion).toBeGreaterThanOrEqual(0);
  expect([typeof position, typeof changedAt]).toEqual(['string', 'string']);
  return JSON.parse(JSON.stringify(rest).replaceAll(name, 'NAME'));
}

/** What the policy makes of an order no store changes: there the worst case and some others do. */
const RUNS = logInEventStoreDb() ? 4 : 12;

describe('the order in which deliveries arrive', () => {
  it('changes nothing about what the user may do, nor do repeats', async () => {
    const plans = new Set<string>();
    await fc.assert(
      fc.asyncProperty(life, fc.infiniteStream(fc.nat()), async (told, luck) => {
        const straight = tell(told);
        const expected = await outcomeOf(straight.name, straight.events);
        plans.add(`${expected.plan} ${expected.status}`);
        const other = tell(told);
        const repeated = other.events.filter(() => Number(luck.next().value) % 2 === 0);
        const shuffled = [...other.events, ...repeated]
          .map((event) => ({ event, rank: Number(luck.next().value) }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ event }) => event);
        expect(await outcomeOf(other.name, shuffled)).toEqual(expected);
      }),
      { numRuns: RUNS, examples: [[{ steps: CHAIN, ends: false }, countingDown()]] },
    );
    expect(plans.size).toBeGreaterThan(1);
  });
});

/** Luck that repeats every event and turns the order round. */
function countingDown(): fc.Stream<number> {
  return new fc.Stream(
    (function* () {
      for (let value = 1_000_000; ; value -= 2) yield value;
    })(),
  );
}
