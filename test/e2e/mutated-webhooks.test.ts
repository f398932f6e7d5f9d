import { randomFrom } from '../support/lives.js';
import { Choice } from '../support/mutations.js';
import {
  BREAKING_STATUS,
  BREAKING_SUBSCRIPTION,
  type BreaksAt,
  SUBSCRIPTION_OF_BROKEN_USER,
} from '../support/other-rules/broken-rules.js';
import { TestService } from '../support/service.js';
import { type TestStores, testStores } from '../support/stores.js';
import {
  invoiceObject,
  type StripeEvent,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { THREAD_FLAGS } from '../support/thread-flags.js';
import { until } from '../support/until.js';
import { deliverMutated, MUTATED_USERS } from './support/mutated-deliveries.js';

const isSoak = process.env.MUTATED_EVENTS !== undefined;
/** Mutated events to send: 50,000 in the soak. */
const EVENTS = Number(process.env.MUTATED_EVENTS ?? 200);
/** One seed, one course of events: the same in every `npm test`, another in every soak; the report names it. */
const SEED = Number(
  process.env.MUTATED_SEED ?? (isSoak ? Math.floor(Math.random() * 2 ** 32) : 1_650_751_699),
);
/** Who pays when all was sent, and who has paid before. */
const NEW_USERS = namesOf('new', Math.min(100, Math.ceil(EVENTS / 30)));
const OLD_USERS = namesOf('old', 5);
/** What code that throws takes along, and what it is thrown at by. */
const BROKEN_USER = 'broken';
const PATIENCE_MS = 600_000;
/** So much set aside is no bad event but bad code: the setting `FAULT_LIMIT` as it is where nobody sets it. */
const FAULT_LIMIT = 20;

/** Code that throws is tried at full size alone: `set-aside.test.ts` and `fault.test.ts` hold the same of a few events. */
const CODES: readonly (BreaksAt | 'nothing')[] = isSoak
  ? ['nothing', 'event', 'stream', 'user', 'everybody', 'everything']
  : ['nothing'];

describe.each(CODES)(`Mutated webhooks (MUTATED_SEED=${SEED}), and code that throws at %s`, (breaksAt) => {
  let stores: TestStores;
  let service: TestService;
  beforeAll(async () => {
    stores = await testStores();
    service = await start();
  });
  afterAll(async () => {
    await service.close();
    await stores.drop();
  });

  it(
    'are each answered by no 5xx, and everybody else has what they pay for',
    async () => {
      for (const userId of OLD_USERS) await paid(service, userId);
      if (breaksAt !== 'nothing') {
        await service.after(BROKEN_USER, bought(SUBSCRIPTION_OF_BROKEN_USER, BROKEN_USER, 'price_plus'));
        await service.close();
        const broken = new URL(`../support/other-rules/register-broken.mjs?at=${breaksAt}`, import.meta.url);
        service = await start('--import', broken.href);
        await deliverAll(service, thrownAt());
      }
      // Where nothing is folded any more what is paid for shows later; it must be stored all the same.
      const pay = stopsEverything(breaksAt) ? stored : paid;

      const began = performance.now();
      let isSending = true;
      const sending = deliverMutated(service, EVENTS, new Choice(randomFrom(SEED))).finally(() => {
        isSending = false;
      });
      const meanwhile: string[] = [];
      const timesMeanwhile: number[] = [];
      while (isSending) {
        const userId = `meanwhile-${meanwhile.length}`;
        meanwhile.push(userId);
        timesMeanwhile.push(await pay(service, userId));
      }
      const { outcomes, wrong } = await sending;
      const seconds = (performance.now() - began) / 1_000;
      expect(wrong).toEqual([]);
      // Else nothing was tried: most are still events, some are none any more.
      expect(outcomes.get('200 applied') ?? 0).toBeGreaterThan(EVENTS / 10);
      expect(outcomes.get('422 malformed_event') ?? 0).toBeGreaterThan(0);

      const times: number[] = [];
      for (const userId of NEW_USERS) times.push(await pay(service, userId));
      tell(`${EVENTS} mutated events in ${seconds.toFixed(0)} s: ${JSON.stringify([...outcomes])}`);
      tell(`paid meanwhile: ${spread(timesMeanwhile)}; afterwards: ${spread(times)}`);

      const others = [...OLD_USERS, ...(pay === paid ? [...meanwhile, ...NEW_USERS] : [])];
      await expectRight(service, others);
      const faulted = await faultedUsers(service, [...MUTATED_USERS, ...others, BROKEN_USER]);
      tell(`set aside: ${JSON.stringify(faulted)}`);
      expect(faulted.filter((userId) => others.includes(userId))).toEqual([]);
      if (breaksAt !== 'nothing') {
        await expectBroken(breaksAt);
        await service.close();
        service = await start();
        expect((await service.ask('POST', '/v1/ops/projections/entitlements/resume', {})).status).toBe(200);
        await paid(service, 'healed');
        await until('nothing is set aside', () => isWhole(service), PATIENCE_MS);
        await expectRight(service, [...OLD_USERS, ...meanwhile, ...NEW_USERS, BROKEN_USER]);
      }
      const { problems } = (await service.get('/health/ready')).body;
      const isAside = breaksAt === 'nothing' && faulted.length > 0;
      // Some deliveries said to be of the other mode.
      expect(problems.filter((problem: string) => problem !== 'livemode_mismatch')).toEqual(
        isAside ? ['events_set_aside'] : [],
      );
      const { rebuilds: generations } = service.tenure.projections;
      expect(await generations.verify('all', 'test', () => undefined)).toMatchObject({ differences: 0 });
    },
    Math.max(120_000, EVENTS * 100),
  );

  /** The service on the same stores; in the soak it folds in threads, as it is shipped, wherever the log is. */
  function start(...flags: readonly string[]): Promise<TestService> {
    const hooks = isSoak ? { threads: [...THREAD_FLAGS, ...flags] } : {};
    return TestService.start({ stores, hooks });
  }

  /** What broken code throws at, whichever it is, and what the user buys in spite of it. */
  function thrownAt(): readonly StripeEvent[] {
    const broken = { metadata: { user_id: BROKEN_USER } };
    return [
      stripeEvent(
        'customer.subscription.updated',
        subscriptionObject(SUBSCRIPTION_OF_BROKEN_USER, 'price_plus', { ...broken, status: BREAKING_STATUS }),
        { previous: { status: 'active' } },
      ),
      bought(BREAKING_SUBSCRIPTION, BROKEN_USER, 'price_pro'),
      bought('sub_in_spite_of_it', BROKEN_USER, 'price_pro'),
    ];
  }

  /** What is set aside by code that throws, and what it leaves. */
  async function expectBroken(at: BreaksAt): Promise<void> {
    const { items } = (await service.get('/v1/ops/faults?limit=1000')).body;
    const ready = await service.get('/health/ready');
    expect([ready.status, ready.body.status]).toEqual([200, 'degraded']);
    const { body: snapshot } = await service.get(`/v1/users/${BROKEN_USER}/entitlements`);
    const streamOf = (subscription: string) => `${stores.prefix}subscription-${subscription}`;
    switch (at) {
      case 'event':
      case 'stream': {
        const id = streamOf(at === 'event' ? SUBSCRIPTION_OF_BROKEN_USER : BREAKING_SUBSCRIPTION);
        expect(items).toContainEqual(expect.objectContaining({ kind: 'stream', id, users: [BROKEN_USER] }));
        expect(snapshot).toMatchObject({ plan: 'pro', faulted: expect.anything() });
        return;
      }
      case 'user':
        expect(items).toContainEqual(expect.objectContaining({ kind: 'user', id: BROKEN_USER }));
        expect(snapshot).toMatchObject({ plan: 'plus', status: 'active', faulted: expect.anything() });
        return;
      case 'everybody':
      case 'everything': {
        const [code, newly] = at === 'everybody' ? ['fault_limit', FAULT_LIMIT] : ['projector_failed', 0];
        const { state, fault, setAside } = ready.body.projection;
        expect([state, fault.code]).toEqual(['faulted', code]);
        expect(setAside.streams + setAside.users).toBeGreaterThanOrEqual(newly);
        expect(ready.body.problems).toContain('projection_faulted');
        expect(snapshot).toMatchObject({ plan: 'plus', status: 'active' });
        return;
      }
      default:
        at satisfies never;
    }
  }

  function tell(what: string): void {
    process.stdout.write(`throws at ${breaksAt} (MUTATED_SEED=${SEED}): ${what}\n`);
  }
});

/** Whether the fold stops as a whole (DESIGN 12): reads and webhooks go on. */
function stopsEverything(breaksAt: BreaksAt | 'nothing'): boolean {
  return breaksAt === 'everybody' || breaksAt === 'everything';
}

function namesOf(what: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${what}-${n}`);
}

function bought(subscription: string, userId: string, price: string): StripeEvent {
  const metadata = { user_id: userId };
  return stripeEvent('customer.subscription.created', subscriptionObject(subscription, price, { metadata }));
}

/** Delivers events one after the other, each of which must be stored; returns the last position. */
async function deliverAll(service: TestService, events: readonly StripeEvent[]): Promise<string> {
  let position = '0';
  for (const event of events) {
    const { status, body } = await service.deliver(event);
    expect([status, body.outcome]).toEqual([200, 'applied']);
    position = body.position;
  }
  return position;
}

/** A user buys the plan pro; how long that took to be stored, in milliseconds. */
async function stored(service: TestService, userId: string): Promise<number> {
  const began = performance.now();
  await deliverPurchase(service, userId);
  expect((await service.get(`/v1/users/${userId}/entitlements`)).status).toBe(200);
  return performance.now() - began;
}

/** A user buys the plan pro; how long that took to be answered, in milliseconds. */
async function paid(service: TestService, userId: string): Promise<number> {
  const began = performance.now();
  const position = await deliverPurchase(service, userId);
  const path = `/v1/users/${userId}/entitlements?minPosition=${position}`;
  await until(
    `${userId} is answered`,
    async () => {
      const { status, body } = await service.get(path);
      if (status === 412) return false;
      expect([status, body]).toEqual([
        200,
        expect.objectContaining({ userId, plan: 'pro', status: 'active' }),
      ]);
      return true;
    },
    PATIENCE_MS,
  );
  return performance.now() - began;
}

function deliverPurchase(service: TestService, userId: string): Promise<string> {
  const subscription = `sub_${userId}`;
  return deliverAll(service, [
    bought(subscription, userId, 'price_pro'),
    stripeEvent('invoice.paid', invoiceObject(`in_${userId}`, subscription, 'price_pro')),
  ]);
}

/** Everybody has the plan pro, and is not marked. */
async function expectRight(service: TestService, userIds: readonly string[]): Promise<void> {
  const wrong = (await answersOf(service, userIds)).filter(
    ({ plan, status, faulted }) => plan !== 'pro' || status !== 'active' || faulted !== undefined,
  );
  expect(wrong).toEqual([]);
}

/** Whom the list for ops names: they, and of all others that are asked for nobody, are marked in their answers. */
async function faultedUsers(service: TestService, userIds: readonly string[]): Promise<readonly string[]> {
  const { status, body } = await service.get('/v1/ops/faults?limit=1000');
  expect([status, body.next]).toEqual([200, null]);
  const items: readonly { kind: string; id: string; users?: readonly string[] }[] = body.items;
  const listed = new Set(items.flatMap(({ id, users }) => users ?? [id]));
  const answers = await answersOf(service, [...new Set([...listed, ...userIds])]);
  const marked = answers.filter(({ faulted }) => faulted !== undefined).map(({ userId }) => userId);
  expect([...marked].sort()).toEqual([...listed].sort());
  return marked;
}

async function answersOf(
  service: TestService,
  userIds: readonly string[],
): Promise<readonly { userId: string; plan: string; status: string; faulted?: unknown }[]> {
  const answers = [];
  for (let from = 0; from < userIds.length; from += 100) {
    const asked = { userIds: userIds.slice(from, from + 100) };
    const { status, body } = await service.ask('POST', '/v1/entitlements/batch', asked);
    expect(status).toBe(200);
    answers.push(...body.entitlements);
  }
  return answers;
}

async function isWhole(service: TestService): Promise<boolean> {
  const { fault, setAside } = (await service.get('/health/ready')).body.projection;
  return fault === null && setAside.streams === 0 && setAside.users === 0;
}

/** Figures to print, of times in milliseconds. */
function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(0);
  return `${times.length} users, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`;
}
