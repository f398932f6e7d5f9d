import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { isHandledType } from '../../src/stripe/translate/stripe-event.translator.js';
import { startService, type TestService } from '../support/service.js';
import { SimulatedLives } from '../support/simulated-lives.js';

const LIVES = Number(process.env.RECONCILED_LIVES ?? 15);

/** What a snapshot says that depends on when and by which events it came about, not on what holds. */
const OF_THE_LOG = new Set([
  'version',
  'position',
  'revocationVersion',
  'changedAt',
  'asOf',
  'evaluatedAt',
  'expiresAt',
]);

async function tenure(service: TestService, lives: SimulatedLives, ...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(['reconcile', '--json', ...args], {
    environment: { ...service.environment, ...lives.environment, USER: 'ada' },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  if (code !== 0) throw new Error(`${code}: ${err}`);
  return JSON.parse(out);
}

async function head(service: TestService): Promise<string> {
  return (await service.tenure.app.get<EventStore>(EVENT_STORE).head()) ?? '0';
}

async function holding(service: TestService): Promise<Readonly<Record<string, unknown>>> {
  const at = await head(service);
  const all: [string, unknown][] = [];
  for (let life = 0; life < LIVES; life += 1) {
    const snapshot = await service.entitlements(`user_${life}`, at);
    const said = Object.entries(snapshot).filter(([key]) => !OF_THE_LOG.has(key));
    all.push([`user_${life}`, Object.fromEntries(said)]);
  }
  return Object.fromEntries(all);
}

describe('Of lives whose webhooks were lost, for ten minutes all and then one in twenty,', () => {
  it.each([
    { days: 25, because: 'every one is found among the events that Stripe keeps' },
    { days: 75, because: 'what is older than Stripe keeps is seen in what it has' },
  ])('over $days days, one reconciliation leaves nothing different: $because', async ({ days }) => {
    const lives = await SimulatedLives.start(days);
    const disturbed = await startService({ plans: lives.planFile });
    const undisturbed = await startService({ plans: lives.planFile });
    try {
      lives.deliverTo(disturbed.url);
      await lives.live(LIVES);
      for (const event of lives.events) if (isHandledType(event.type)) await undisturbed.receive(event);
      const whole = await holding(undisturbed);
      expect(await holding(disturbed)).not.toEqual(whole);

      const before = await disturbed.logged();
      const looked = await tenure(disturbed, lives, '--dry-run');
      expect(looked.report.missedEvents.count).toBeGreaterThan(0);
      expect(await disturbed.logged()).toBe(before);

      const repaired = await tenure(disturbed, lives);
      expect(repaired).toMatchObject({ phase: 'done', subscriptions: LIVES, actor: 'cli:ada' });
      expect(repaired.report.unusableEvents.count).toBe(0);
      expect(await holding(disturbed)).toEqual(whole);
      const after = await disturbed.logged();
      if (days <= 30) expect(after).toBe(await undisturbed.logged());

      const again = await tenure(disturbed, lives);
      expect(again.report).toMatchObject({
        missedEvents: { count: 0 },
        differences: { count: 0 },
        gone: { count: 0 },
      });
      expect(await disturbed.logged()).toBe(after);
    } finally {
      await disturbed.close();
      await undisturbed.close();
      await lives.close();
    }
  });
});
