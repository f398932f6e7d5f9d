import { randomUUID } from 'node:crypto';
import { runCli } from '../../src/cli/program.js';
import { Repositories } from '../../src/commands/repositories.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { parseEvent } from '../../src/events/event-envelope.js';
import { STRIPE_GATEWAY } from '../../src/stripe/gateway/gateway.module.js';
import type { StripeGateway } from '../../src/stripe/gateway/stripe.gateway.js';
import { Drift } from '../../src/stripe/reconciliation/reconcile/drift-report.js';
import { Reconciliation } from '../../src/stripe/reconciliation/reconcile/reconciliation.js';
import { ReconciliationJobs } from '../../src/stripe/reconciliation/reconcile/reconciliation-jobs.js';
import { ReconciliationRunner } from '../../src/stripe/reconciliation/reconcile/reconciliation-runner.js';
import { Sweep, type SweepOptions } from '../../src/stripe/reconciliation/reconcile/sweep.js';
import { isHandledType } from '../../src/stripe/translate/stripe-event.translator.js';
import { Cost } from '../support/cost.js';
import { wholeLog } from '../support/log.js';
import { startService, type TestService } from '../support/service.js';
import { DAY, holdingAt, SimulatedLives } from '../support/simulated-lives.js';
import { until } from '../support/until.js';

const LIVES = Number(process.env.RECONCILED_LIVES ?? 4);

/** Lists of what bears on payments. */
const OF_PAYMENTS: readonly string[] = ['/v1/disputes', '/v1/refunds', '/v1/radar/early_fraud_warnings'];

const TIMEOUT_MS = 300_000 + LIVES * 5_000;

type Job = 'import' | 'reconcile';

async function done(job: Job, service: TestService, lives: SimulatedLives, ...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await runCli([job, '--json', ...args], {
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

function tenure(service: TestService, lives: SimulatedLives, ...args: readonly string[]) {
  return done('reconcile', service, lives, ...args);
}

/** A Stripe that has nothing. */
const EMPTY: SweepOptions['gateway'] = {
  page: async () => ({ outcome: 'answered', objects: [], hasMore: false, answeredAt: 0, apiVersion: null }),
  object: async () => ({ outcome: 'not_found', status: 404, requestId: null, againInMs: 0 }),
};

async function head(service: TestService): Promise<string> {
  return (await service.tenure.app.get<EventStore>(EVENT_STORE).head()) ?? '0';
}

describe('Of lives whose webhooks were lost, for ten minutes all and then one in twenty,', () => {
  it.each([
    {
      ...{ days: 25, because: 'every one is found among the events that Stripe keeps' },
      payments: 'troubled',
    },
    // Of an upgrade of which no event is left nothing says that it was one: of its dispute less is known.
    {
      ...{ days: 40, because: 'what is older than Stripe keeps is seen in what it has' },
      payments: 'untroubled',
    },
  ] as const)(
    'over $days days, one reconciliation leaves nothing different: $because',
    async ({ days, payments }) => {
      const cost = new Cost(`reconciliation of ${LIVES} lives of ${days} days`, LIVES >= 100);
      let calls = 0;
      const lives = await SimulatedLives.start(days);
      const plans = `${lives.planFile}policy: { dispute: suspend, fullRefund: suspend }\n`;
      const disturbed = await startService({ plans });
      const undisturbed = await startService({ plans });
      try {
        lives.deliverTo(disturbed.url);
        await lives.live(LIVES, 'lossy', payments);
        const happened = new Set(lives.events.map(({ type }) => type));
        for (const type of ['charge.refunded', 'charge.dispute.closed'])
          expect([type, happened.has(type)]).toEqual([type, payments === 'troubled']);
        for (const event of lives.events) if (isHandledType(event.type)) await undisturbed.receive(event);
        const whole = await holdingAt(undisturbed, LIVES);
        expect(await holdingAt(disturbed, LIVES)).not.toEqual(whole);

        const before = await disturbed.logged();
        calls = lives.simulator.requests;
        const looked = await tenure(disturbed, lives, '--dry-run');
        expect(looked.report.missedEvents.count).toBeGreaterThan(0);
        if (days > 30) expect(looked.report.differences.count).toBeGreaterThan(0);
        expect(await disturbed.logged()).toBe(before);

        const repaired = await tenure(disturbed, lives);
        expect(repaired).toMatchObject({ phase: 'done', subscriptions: LIVES, actor: 'cli:ada' });
        expect(repaired.report.unusableEvents.count).toBe(0);
        expect(await holdingAt(disturbed, LIVES)).toEqual(whole);
        const after = await disturbed.logged();
        if (days <= 30) expect(after).toBe(await undisturbed.logged());

        const again = await tenure(disturbed, lives);
        expect(again.report).toMatchObject({
          missedEvents: { count: 0 },
          differences: { count: 0 },
          gone: { count: 0 },
        });
        expect(await disturbed.logged()).toBe(after);
        cost.tell(lives.simulator.requests - calls, 'a dry run, a repair and a second run');
      } finally {
        await disturbed.close();
        await undisturbed.close();
        await lives.close();
      }
    },
    TIMEOUT_MS,
  );
});

describe('A reconciliation', () => {
  let lives: SimulatedLives;
  let service: TestService;

  beforeAll(async () => {
    lives = await SimulatedLives.start(5);
    service = await startService({ plans: lives.planFile, environment: lives.environment });
    await lives.live(2);
  });
  afterAll(async () => {
    await service.close();
    await lives.close();
  });

  async function asked(body: object) {
    const begun = await service.ask('POST', '/v1/ops/reconciliations', body);
    expect(begun.status).toBe(202);
    return until('the reconciliation to be over', async () => {
      const { body: job } = await service.get(begun.headers.location ?? '');
      return job.finishedAt !== null && job;
    });
  }

  it('over HTTP finds a whole account of which nothing was ever delivered', async () => {
    const looked = await asked({ dryRun: true });
    expect(looked).toMatchObject({ phase: 'done', afterwards: 'report', subscriptions: 2 });
    expect(await service.logged('SubscriptionStarted')).toBe(0);
    const found = await asked({});
    expect(found).toMatchObject({ phase: 'done', afterwards: 'record', failure: null });
    expect(found.report.missedEvents.count).toBe(looked.report.missedEvents.count);
    expect(await service.entitlements('user_1', await head(service))).toMatchObject({ plan: 'plus' });
  });

  it('ends what a sandbox no longer has, once; in live mode it only lists it, unless told otherwise', async () => {
    const gone = [...lives.simulator.account.subscriptions.select()].find(
      ({ metadata }) => metadata.user_id === 'user_1',
    );
    const subscription = gone?.id ?? '';
    lives.simulator.account.subscriptions.remove(subscription);
    const live = async (what: 'list' | 'end') => {
      const [drift, said] = [new Drift(), [] as string[]];
      const store = service.tenure.app.get<EventStore>(EVENT_STORE);
      const { pool } = service.tenure;
      await new Sweep({
        ...{ gateway: EMPTY, pool, store, drift, streamPrefix: service.prefix, livemode: true },
        paymentsFrom: null,
        claims: { userIdMetadataKey: 'user_id', userIdPattern: null },
        job: { id: 'job', gone: what, actor: 'test' },
        recorder: {
          lacked: async ({ event, stream }) => {
            expect(event).toMatchObject({ type: expect.stringMatching(/Retrieved$/), data: { gone: true } });
            said.push(stream.id);
            return true;
          },
        },
        onLooked: async () => undefined,
        signal: new AbortController().signal,
      }).run();
      return { gone: drift.report.gone.first, said };
    };
    const before = await service.logged();
    const listed = await live('list');
    expect([listed.gone.every(({ ended }) => !ended), listed.said]).toEqual([true, []]);
    expect(listed.gone).toContainEqual({ kind: 'subscription', id: subscription, ended: false });
    expect(listed.gone).toContainEqual({ kind: 'customer', id: gone?.customer, ended: false });
    const told = await live('end');
    expect([told.gone.every(({ ended }) => ended), told.said]).toEqual([
      true,
      listed.gone.map((each) => each.id),
    ]);
    expect(await service.logged()).toBe(before);

    expect((await asked({})).report.gone).toEqual({
      count: 1,
      first: [{ kind: 'subscription', id: subscription, ended: true }],
    });
    const said = (await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE))).map(parseEvent);
    const last = said.findLast((event) => event.type === 'SubscriptionRetrieved');
    expect(last?.data).toMatchObject({ subscription, status: 'active', gone: true });
    expect(await service.entitlements('user_1', await head(service))).toMatchObject({ plan: 'free' });
    const after = await service.logged();
    expect((await asked({})).report.gone.count).toBe(0);
    expect(await service.logged()).toBe(after);
  });

  it('finds what was bought for good and never told, by what Stripe has alone, once', async () => {
    const { simulator, stripe, plans } = lives;
    const { rows: events } = simulator.account.events;
    const told = new Set([...events.select()].map(({ id }) => id));
    const { id: customer } = await stripe.customers.create({ metadata: { user_id: 'keeper' } });
    const { id: session } = await stripe.checkout.sessions.create({
      ...{ mode: 'payment', customer, success_url: 'https://app.example.com' },
      line_items: [{ price: plans.once, quantity: 1 }],
    });
    await simulator.control('POST', `/_simulator/checkout/sessions/${session}/complete`, {});
    // Stripe keeps events for 30 days.
    for (const { id } of [...events.select()]) if (!told.has(id)) events.remove(id);
    const looked = await asked({ dryRun: true });
    const differences = {
      count: 2,
      first: [
        { kind: 'customer', id: customer },
        { kind: 'checkout', id: session },
      ],
    };
    expect(looked).toMatchObject({ purchases: 1, report: { missedEvents: { count: 0 }, differences } });
    expect((await asked({})).report.differences).toEqual(differences);
    expect(await service.entitlements('keeper', await head(service))).toMatchObject({
      plan: 'pro',
      status: 'active',
      source: { type: 'purchase', sessionId: session },
    });
    const after = await service.logged();
    expect((await asked({})).report.differences.count).toBe(0);
    expect(await service.logged()).toBe(after);

    const { checkoutSessions } = simulator.account;
    const row = checkoutSessions.find(session);
    if (row === undefined) throw new Error('nothing was sold');
    checkoutSessions.remove(session);
    const without = await asked({});
    checkoutSessions.put(row);
    expect(without.report.gone.first).toEqual([{ kind: 'checkout', id: session, ended: false }]);
    expect(await service.logged()).toBe(after);
  });

  it('with the key of another account is refused, and ends nothing', async () => {
    const before = await service.logged();
    const { rows } = await service.tenure.pool.query('select account from tenure.stripe_account');
    expect(rows).toEqual([{ account: lives.simulator.account.id }]);
    await service.tenure.pool.query(`update tenure.stripe_account set account = 'acct_before'`);
    const refused = await asked({ gone: 'end' });
    await service.tenure.pool.query('update tenure.stripe_account set account = $1', [rows[0].account]);
    expect(refused).toMatchObject({
      ...{ phase: 'failed', events: 0, subscriptions: 0, report: null },
      failure: `the key is of ${rows[0].account}, and the log tells of acct_before`,
    });
    expect(await service.logged()).toBe(before);
  });

  it('lists all disputes, refunds and fraud warnings the first time, and those of half a year while it goes on', async () => {
    const { pool, app } = service.tenure;
    const listed = async () => {
      const from: Record<string, string | undefined> = {};
      const gateway = app.get<StripeGateway>(STRIPE_GATEWAY);
      const reconciliation = new Reconciliation({
        ...{ pool, store: app.get<EventStore>(EVENT_STORE), streamPrefix: service.prefix, livemode: false },
        repositories: app.get(Repositories),
        gateway: {
          ...{ object: EMPTY.object, account: () => gateway.account() },
          page: async (path, query = {}) => {
            if (OF_PAYMENTS.includes(path)) from[path] = query['created[gte]'];
            const page = await EMPTY.page(path, query);
            return { ...page, answeredAt: Math.floor(Date.now() / 1_000) };
          },
        },
        translation: { userIdMetadataKey: 'user_id', userIdPattern: null, account: null },
        onProgress: () => undefined,
        signal: new AbortController().signal,
      });
      await reconciliation.run({ afterwards: 'report', gone: 'list', actor: 'test' });
      return from;
    };
    const { rows } = await pool.query('select payments_second from tenure.reconciled_until');
    const before = Number(rows[0].payments_second);
    expect(before).toBeGreaterThan(Date.now() / 1_000 - 3_600);
    const all = Object.fromEntries(OF_PAYMENTS.map((path) => [path, undefined]));
    const some = Object.fromEntries(OF_PAYMENTS.map((path) => [path, String(before - 180 * DAY)]));
    expect(await listed()).toEqual(some);
    await pool.query('update tenure.reconciled_until set payments_second = null');
    expect(await listed()).toEqual(all);
    // So long nobody looked that Stripe keeps no events of it.
    await pool.query('update tenure.reconciled_until set payments_second = $1', [before - 30 * DAY]);
    expect(await listed()).toEqual(all);
    await pool.query('update tenure.reconciled_until set payments_second = $1', [before]);
  });

  it('lists what cannot be read, and goes on', async () => {
    const { subscriptions } = lives.simulator.account;
    const [row] = [...subscriptions.select()];
    if (row === undefined) throw new Error('nobody subscribed');
    subscriptions.put({ ...row, status: '' as typeof row.status });
    const found = await asked({});
    subscriptions.put(row);
    expect(found.report.unusableObjects).toMatchObject({
      count: 1,
      first: [{ kind: 'subscription', id: row.id }],
    });
    expect(found.report.gone.count).toBe(0);
  });

  it('comes by itself once it is due, and not before', async () => {
    const jobs = new ReconciliationJobs(service.tenure.pool);
    expect(await jobs.isDue(1)).toBe(false);
    const { rows } = await service.tenure.pool.query(
      'select count(*)::int as jobs from tenure.reconciliation',
    );
    await service.tenure.pool.query(
      `update tenure.reconciliation set started_at = started_at - interval '2 days'`,
    );
    expect(await jobs.isDue(24)).toBe(true);
    service.tenure.app.get(ReconciliationRunner).look();
    await until('another one to be over', async () => {
      const found = await service.tenure.pool.query(
        `select actor from tenure.reconciliation where actor = 'schedule' and phase = 'done'`,
      );
      return found.rows.length === 1;
    });
    expect(await jobs.isDue(24)).toBe(false);
    const now = await service.tenure.pool.query('select count(*)::int as jobs from tenure.reconciliation');
    expect(now.rows[0].jobs).toBe(rows[0].jobs + 1);
  });

  it('is refused while another one is not over', async () => {
    const jobs = new ReconciliationJobs(service.tenure.pool);
    const left = await jobs.begin(randomUUID(), { afterwards: 'report', gone: 'list', actor: 'test' });
    const refused = await service.ask('POST', '/v1/ops/reconciliations', {});
    expect([refused.status, refused.body.code]).toEqual([409, 'reconciliation_in_progress']);
    await jobs.failed(left.id, 'left by a test');
  });

  it('is found by its key when a repeat comes after the reply is kept no more, and never with other contents', async () => {
    const { pool } = service.tenure;
    const begin = async (body: object) => {
      const begun = await service.ask('POST', '/v1/ops/reconciliations', body, {
        'idempotency-key': 'job-1',
      });
      await pool.query('delete from tenure.idempotency_key');
      return begun;
    };
    const first = await begin({ dryRun: true });
    expect(first.status).toBe(202);
    expect((await begin({ dryRun: true })).body.id).toBe(first.body.id);
    expect((await begin({ dryRun: false })).body.code).toBe('idempotency_key_reused');
    await until('it is over', async () => {
      const { body } = await service.get(`/v1/ops/reconciliations/${first.body.id}`);
      return body.phase === 'done';
    });
  });
});

describe('Refunds and disputes of which no webhook came', () => {
  let lives: SimulatedLives;
  let service: TestService;

  beforeAll(async () => {
    lives = await SimulatedLives.start(5);
    const plans = `${lives.planFile}policy: { dispute: suspend, fullRefund: suspend }\n`;
    service = await startService({ plans });
  });
  afterAll(async () => {
    await service.close();
    await lives.close();
  });

  /** Somebody who buys `plus`; `upgrade` moves on to `pro`, billed at once. */
  async function subscribes(userId: string): Promise<{ customer: string; upgrade: () => Promise<unknown> }> {
    const { stripe, plans } = lives;
    const metadata = { user_id: userId };
    const { id: customer } = await stripe.customers.create({ metadata });
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } });
    const items = [{ price: plans.plus }];
    const subscription = await stripe.subscriptions.create({ customer, items, metadata });
    const [item] = subscription.items.data;
    const upgrade = () =>
      stripe.subscriptions.update(subscription.id, {
        items: [{ id: item?.id ?? '', price: plans.pro }],
        proration_behavior: 'always_invoice',
      });
    return { customer, upgrade };
  }

  /** Somebody who buys once and for good. */
  async function buys(userId: string): Promise<string> {
    const { stripe, plans, simulator } = lives;
    const { id: customer } = await stripe.customers.create({ metadata: { user_id: userId } });
    const { id: session } = await stripe.checkout.sessions.create({
      ...{ mode: 'payment', customer, success_url: 'https://app.example.com' },
      line_items: [{ price: plans.once, quantity: 1 }],
    });
    await simulator.control('POST', `/_simulator/checkout/sessions/${session}/complete`, {});
    return customer;
  }

  function lastCharge(customer: string): string {
    const charges = [...lives.simulator.account.charges.select({ by: ['customer', customer] })];
    return charges.sort((a, b) => a.created - b.created).at(-1)?.id ?? '';
  }

  /** The early fraud warnings that operators are shown, and whose they are. */
  async function warnings() {
    const { body } = await service.ask('GET', '/v1/ops/fraud-warnings');
    return body.items.map(({ users }: { users: readonly string[] }) => users);
  }

  const warns = (customer: string) =>
    lives.simulator.control('POST', `/_simulator/charges/${lastCharge(customer)}/early_fraud_warning`, {});
  const disputes = (customer: string) =>
    lives.simulator.control('POST', `/_simulator/charges/${lastCharge(customer)}/dispute`, {});
  const refunds = (customer: string) => lives.stripe.refunds.create({ charge: lastCharge(customer) });

  /** What each may do once all of the log is folded. */
  async function holding(...userIds: readonly string[]) {
    const at = await head(service);
    const held = userIds.map(async (userId) => {
      const { plan, role, features, limits, status, pendingPayment } = await service.entitlements(userId, at);
      return [userId, { plan, role, features, limits, status, pendingPayment }] as const;
    });
    return Object.fromEntries(await Promise.all(held));
  }

  it('are found by an import and by a reconciliation, count as if the webhooks had come, and are recorded once', async () => {
    const { simulator, start, events } = lives;
    const [disputer, refunded, paying, later] = [
      await subscribes('disputer'),
      await subscribes('refunded'),
      await subscribes('paying'),
      await subscribes('later'),
    ];
    const keeper = await buys('keeper');
    const warned = await subscribes('warned');
    await simulator.moveTo(start + DAY);
    for (const { upgrade } of [disputer, later, paying]) await upgrade();
    await simulator.moveTo(start + 2 * DAY);
    await disputes(disputer.customer);
    await refunds(refunded.customer);
    await refunds(keeper);
    // Of the second nothing can be done any more: nobody is shown it.
    await warns(warned.customer);
    await warns(refunded.customer);
    const now = Math.floor(Date.now() / 1_000);
    await simulator.moveTo(now - 60);
    const users = ['disputer', 'refunded', 'keeper', 'paying', 'later', 'warned'];

    const looked = await done('import', service, lives, '--dry-run');
    expect(looked).toMatchObject({
      ...{ phase: 'done', subscriptions: 5, purchases: 1, disputes: 1, refunds: 2, warnings: 2 },
      report: { users: { free: 2, plus: 2, pro: 2 } },
    });
    expect(await done('import', service, lives)).toMatchObject({ phase: 'done', unusable: 0 });
    const held = await holding(...users);
    expect(held).toMatchObject({
      disputer: { plan: 'plus' },
      refunded: { plan: 'free' },
      keeper: { plan: 'free' },
      paying: { plan: 'pro' },
      later: { plan: 'pro' },
      warned: { plan: 'plus' },
    });
    expect(await warnings()).toEqual([['warned']]);
    const after = await service.logged();
    expect(await done('import', service, lives)).toMatchObject({ phase: 'done', recorded: 0 });
    expect(await service.logged()).toBe(after);

    // Stripe keeps events for 30 days.
    const forget = () => {
      for (const { id } of [...simulator.account.events.rows.select()])
        simulator.account.events.rows.remove(id);
    };
    forget();
    const unchanged = {
      missedEvents: { count: 0 },
      differences: { count: 0 },
      unusableObjects: { count: 0 },
    };
    expect((await tenure(service, lives)).report).toMatchObject(unchanged);
    expect(await service.logged()).toBe(after);

    // An answer of the second in which the import asked would say nothing new.
    await simulator.moveTo(now - 50);
    await disputes(later.customer);
    await refunds(warned.customer);
    forget();
    // The dispute, what it is of, and the invoice of before the upgrade; the refund, and that nothing can be done of the warning.
    const differences = { count: 5 };
    expect((await tenure(service, lives, '--dry-run')).report).toMatchObject({ differences });
    expect(await holding('later')).toMatchObject({ later: { plan: 'pro' } });
    const repaired = await tenure(service, lives);
    expect(repaired).toMatchObject({ disputes: 2, refunds: 3, warnings: 2, report: { differences } });
    expect(await holding('later', 'warned')).toMatchObject({
      later: { plan: 'plus' },
      warned: { plan: 'free' },
    });
    expect(await warnings()).toEqual([]);
    const whole = await service.logged();
    expect((await tenure(service, lives)).report).toMatchObject(unchanged);
    expect(await service.logged()).toBe(whole);

    const told = await holding(...users);
    for (const event of events) if (isHandledType(event.type)) await service.receive(event);
    expect(await service.logged()).toBeGreaterThan(whole);
    // Of an upgrade of before the import only webhooks say that it was one, and so waits for its payment.
    const pendingPayment = expect.objectContaining({ plan: 'pro', reason: 'taken_back' });
    expect(await holding(...users)).toEqual({
      ...told,
      disputer: { ...told.disputer, pendingPayment },
      later: { ...told.later, pendingPayment },
    });
  });
});
