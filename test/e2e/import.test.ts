import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import { Repositories } from '../../src/commands/repositories.js';
import { SETTINGS, type Settings } from '../../src/config/settings.js';
import { EventStoreUnavailableError } from '../../src/event-store/errors.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { EventStoreDecorator } from '../../src/event-store/event-store-decorator.js';
import type { StripeIds } from '../../src/pseudonyms/stripe-ids.js';
import { STRIPE_IDS } from '../../src/stripe/gateway/gateway.module.js';
import { RequestBudget } from '../../src/stripe/gateway/request-pace.js';
import { StripeGateway } from '../../src/stripe/gateway/stripe.gateway.js';
import { type ImportJob, ImportJobs } from '../../src/stripe/reconciliation/import/import-jobs.js';
import { Importer, type ImporterOptions } from '../../src/stripe/reconciliation/import/importer.js';
import { built } from '../support/compiled.js';
import { Cost, mostMemoryOf } from '../support/cost.js';
import { testFolder } from '../support/folder.js';
import { wholeLog } from '../support/log.js';
import { PLANS, startService, type TestService } from '../support/service.js';
import { ServiceProcess } from '../support/service-process.js';
import { StripeApi } from '../support/stripe-api.js';
import {
  checkoutObject,
  customerObject,
  invoiceObject,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { PATIENCE_MS, until } from '../support/until.js';

/** Subscriptions of the account: on two pages; 50,000 in the soak. */
const SUBSCRIPTIONS = Number(process.env.IMPORT_SUBSCRIPTIONS ?? 120);
/** Pages a second that a process may ask for: few, so that it is still reading when it is killed. */
const PACE = SUBSCRIPTIONS > 10_000 ? 25 : 1;
const TIMEOUT_MS = PATIENCE_MS + SUBSCRIPTIONS * 50;
const ASKED = { afterwards: 'record', actor: 'test', links: [] } as const;

const NOT_FOUND = { outcome: 'not_found', status: 404, requestId: null, againInMs: 0 } as const;

function gatewayTo(api: StripeApi, more: { readonly ids?: StripeIds | null } = {}): StripeGateway {
  return new StripeGateway({
    secretKey: api.key,
    apiBase: api.url,
    budget: new RequestBudget({ perSecond: 1_000, livemode: false }),
    onRequest: () => undefined,
    ...more,
  });
}

/** A log that goes away after so many appends. */
class FailingStore extends EventStoreDecorator {
  constructor(
    inner: EventStore,
    private left: number,
  ) {
    super(inner);
  }
  override append(...given: Parameters<EventStore['append']>): ReturnType<EventStore['append']> {
    this.left -= 1;
    return this.left < 0 ? Promise.reject(new EventStoreUnavailableError('away')) : super.append(...given);
  }
}

describe('An import of what Stripe has', () => {
  const cost = new Cost(`import of ${SUBSCRIPTIONS} subscriptions`, SUBSCRIPTIONS >= 1_000);
  /** Of processes that imported, in MB; `null` where the system does not say. */
  const ofTool: (number | null)[] = [];
  let api: StripeApi;
  let service: TestService;

  beforeAll(async () => {
    api = await StripeApi.start();
    const plans = PLANS.replace('{ m: price_pro }', '{ m: price_pro, lifetime: price_once }');
    service = await startService({ plans });
    for (let n = 0; n < SUBSCRIPTIONS; n += 1) exists(n);
  });
  afterAll(async () => {
    cost.tell(api.asked.length, `tenure import ${ofTool.join(', then ')} MB when it was killed`);
    await service.close();
    await api.close();
  });

  /** A customer with a subscription and its invoice; every tenth names nobody, every seventh is past due, every fifth has a price in no plan. */
  function exists(n: number): void {
    const metadata = n % 10 === 0 ? {} : { user_id: `user_${n}` };
    api.has(customerObject(`cus_sub_${n}`, { metadata, livemode: false }));
    const status = n % 7 === 0 ? 'past_due' : 'active';
    const more = { livemode: false, status, latest_invoice: `in_${n}` };
    api.has(subscriptionObject(`sub_${n}`, n % 5 === 1 ? 'price_odd' : 'price_plus', more));
    api.has(invoiceObject(`in_${n}`, `sub_${n}`, 'price_plus', { livemode: false }));
  }

  /** A completed and paid session of mode `payment`, which sold something of each price. */
  function sold(session: string, more: object, prices: readonly string[]): void {
    const data = prices.map((price, n) => ({
      ...{ id: `li_${n}`, object: 'item', quantity: 1 },
      price: { id: price, object: 'price', lookup_key: null, product: `prod_of_${price}` },
    }));
    const once = { mode: 'payment', customer: null, subscription: null, invoice: null, metadata: {} };
    const shown = { ...once, client_reference_id: null, payment_intent: `pi_${session}`, ...more };
    const told = { subscription: 'sub_none', userId: 'nobody' };
    api.has(
      checkoutObject(session, told, { ...shown, line_items: { object: 'list', data, has_more: false } }),
    );
  }

  function importer(more: Partial<ImporterOptions> & { appends?: number } = {}): Importer {
    const store = service.tenure.app.get<EventStore>(EVENT_STORE);
    const writing = more.appends === undefined ? store : new FailingStore(store, more.appends);
    const gateway = gatewayTo(api, { ids: service.tenure.app.get<StripeIds | null>(STRIPE_IDS) });
    return new Importer({
      pool: service.tenure.pool,
      store,
      repositories: new Repositories(writing, { streamPrefix: service.prefix }),
      gateway,
      stripeAccount: null,
      streamPrefix: service.prefix,
      livemode: false,
      claims: service.tenure.app.get<Settings>(SETTINGS).userIds,
      now: Date.now,
      onProgress: () => undefined,
      signal: new AbortController().signal,
      ...more,
    });
  }

  async function retrieved(): Promise<readonly { type: string; stream: string; causation: string }[]> {
    const all = await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
    return all
      .filter(({ type }) => type.endsWith('Retrieved'))
      .map(({ type, stream, metadata }) => ({ type, stream, causation: JSON.parse(metadata).causationId }));
  }

  it(
    'as a dry run says what would hold, and appends nothing',
    async () => {
      const before = await service.logged();
      const job = await importer().run({ ...ASKED, afterwards: 'report' });
      const odd = Array.from({ length: SUBSCRIPTIONS }, (_, n) => n).filter((n) => n % 5 === 1);
      const unlinked = Math.ceil(SUBSCRIPTIONS / 10);
      expect(job).toMatchObject({
        phase: 'done',
        subscriptions: SUBSCRIPTIONS,
        read: 3 * SUBSCRIPTIONS,
        recorded: 0,
        report: {
          newEvents: 3 * SUBSCRIPTIONS,
          users: { free: odd.length, plus: SUBSCRIPTIONS - odd.length - unlinked },
          unlinked: { count: unlinked },
          unmappedPrices: { price_odd: odd.length },
          conflicts: { count: 0 },
          severalSubscriptions: { count: 0 },
        },
      });
      expect(await service.logged()).toBe(before);
    },
    TIMEOUT_MS,
  );

  /** Runs `tenure import` as a process, and kills it once its import is so far. */
  async function killedOnce(isSoFar: (job: ImportJob) => boolean): Promise<ImportJob> {
    const { pool } = service.tenure;
    await until('no process to import', async () => {
      const { rows } = await pool.query(
        `select pg_try_advisory_xact_lock(hashtextextended('tenure import', 0)) as free`,
      );
      return rows[0]?.free === true;
    });
    const environment = {
      ...service.environment,
      ...api.environment,
      ...{ STRIPE_REQUESTS_PER_SECOND: String(PACE), USER: 'ada' },
    };
    const child = new ServiceProcess(environment, { file: built('cli'), args: ['import'] });
    const jobs = new ImportJobs(pool);
    const seen = await until(
      'the import to be so far',
      async () => {
        const job = await jobs.latest();
        if (job?.afterwards !== 'record') return false;
        if (job.finishedAt !== null) throw new Error(`it was over: ${(await child.ended).stderr}`);
        return isSoFar(job) && job;
      },
      TIMEOUT_MS,
    );
    if (child.pid !== null) ofTool.push(await mostMemoryOf(child.pid));
    await child.kill('SIGKILL');
    return seen;
  }

  /** What is read by now of an import is not recorded to its end until the answer is called: a fast one would be over before anybody has looked. */
  async function holdingBack(job: string): Promise<() => Promise<void>> {
    const client = await service.stores.database.pool.connect();
    await client.query('begin');
    await client.query('select from tenure.import_item where job = $1 order by nth desc limit 1 for update', [
      job,
    ]);
    return async () => {
      await client.query('rollback');
      client.release();
    };
  }

  it(
    'that is killed while it reads and while it records, and cut off from the log, goes on under its key and is exact at the end',
    async () => {
      const read = await killedOnce(({ subscriptions }) => subscriptions > 0);
      expect(read).toMatchObject({ phase: 'reading', recorded: 0 });
      const letOn = await holdingBack(read.id);
      await killedOnce(({ recorded }) => recorded > 0).finally(letOn);
      await expect(importer({ appends: 50 }).run(ASKED)).rejects.toThrow();
      const job = await importer().resume();
      expect(job).toMatchObject({ id: read.id, phase: 'done', read: 3 * SUBSCRIPTIONS, failure: null });
      const all = await retrieved();
      expect(all).toHaveLength(3 * SUBSCRIPTIONS);
      expect(new Set(all.map(({ causation }) => causation)).size).toBe(all.length);
      expect(all.every(({ causation }) => causation.endsWith(`/${read.id}`))).toBe(true);
      expect((job?.recorded ?? 0) + (job?.unchanged ?? 0)).toBe(3 * SUBSCRIPTIONS);
      const head = (await service.tenure.app.get<EventStore>(EVENT_STORE).head()) ?? '0';
      expect(await service.entitlements('user_2', head)).toMatchObject({ plan: 'plus', status: 'active' });
      expect(await service.entitlements('user_7')).toMatchObject({ plan: 'plus', status: 'past_due' });
      expect(await service.entitlements('user_6')).toMatchObject({ plan: 'free' });
    },
    TIMEOUT_MS,
  );

  it(
    'once more appends nothing but what is new, and what Stripe delivered since stands',
    async () => {
      const changed = subscriptionObject('sub_2', 'price_pro', { livemode: false, latest_invoice: 'in_2' });
      api.has(changed);
      const ended = subscriptionObject('sub_3', 'price_plus', { status: 'canceled', livemode: false });
      await service.receive(stripeEvent('customer.subscription.deleted', ended));
      api.has(ended);
      const before = (await retrieved()).length;
      const job = await importer().run({
        ...ASKED,
        links: [{ customer: 'cus_sub_10', userId: await service.storedId('linked') }],
      });
      expect(job).toMatchObject({ phase: 'done', recorded: 2 });
      expect((await retrieved()).length).toBe(before + 1);
      const head = (await service.tenure.app.get<EventStore>(EVENT_STORE).head()) ?? '0';
      expect(await service.entitlements('user_3', head)).toMatchObject({ plan: 'free', status: 'canceled' });
      expect((await service.entitlements('linked')).subscriptionActive).toBe(true);
    },
    TIMEOUT_MS,
  );

  it(
    'is a command too, which tells what would hold, takes links from a file and refuses one with faults',
    async () => {
      const folder = await testFolder('tenure-import-');
      const links = join(folder, 'links.csv');
      const tenure = async (...args: readonly string[]) => {
        let [out, err] = ['', ''];
        const code = await runCli(['import', ...args], {
          environment: { ...service.environment, ...api.environment, USER: 'ada' },
          out: (text) => {
            out += text;
          },
          err: (text) => {
            err += text;
          },
        });
        return { code, out, err };
      };
      const looked = await tenure('--dry-run');
      expect(looked.code).toBe(0);
      expect(looked.out).toContain(
        `${SUBSCRIPTIONS} subscriptions, 0 purchases, 0 disputes, 0 refunds and 0 fraud warnings read`,
      );
      expect(looked.out).toMatch(/of \d+ events 0 would be new; nothing was recorded\n/);
      expect(looked.out).toMatch(/users by plan: free \d+, plus \d+\n/);
      await writeFile(links, 'cus_sub_20;nobody');
      expect(await tenure('--links', links)).toMatchObject({ code: 65, out: '' });
      await writeFile(links, 'cus_sub_20,found');
      const imported = await tenure('--links', links, '--json');
      expect([imported.code, JSON.parse(imported.out)]).toMatchObject([0, { actor: 'cli:ada', recorded: 1 }]);
      const none = await runCli(['import'], {
        environment: service.environment,
        out: () => undefined,
        err: () => undefined,
      });
      expect(none).toBe(78);
      await rm(folder, { recursive: true });
    },
    TIMEOUT_MS,
  );

  it(
    'lists what cannot be read, and brings in the rest',
    async () => {
      api.has(subscriptionObject('sub_odd', 'price_plus', { status: null, livemode: false }));
      api.has(subscriptionObject('sub_late', 'price_plus', { livemode: false }));
      const job = await importer().run(ASKED);
      expect(job).toMatchObject({ phase: 'done', recorded: 1, unusable: 1, failure: null });
      expect(job.report?.unusableObjects).toEqual({
        count: 1,
        first: [{ kind: 'subscription', id: 'sub_odd', why: expect.stringContaining('status') }],
      });
    },
    TIMEOUT_MS,
  );

  it(
    'brings in what was bought for good, with its line items, and once more appends nothing',
    async () => {
      sold('cs_named', { metadata: { user_id: 'keeper' } }, ['price_once']);
      sold('cs_cut', { customer: 'cus_cut' }, [...Array(11).fill('price_mug'), 'price_once']);
      api.has(customerObject('cus_cut', { metadata: { user_id: 'collector' }, livemode: false }));
      sold('cs_nobody', {}, ['price_once']);
      sold('cs_mug', { metadata: { user_id: 'drinker' } }, ['price_mug']);
      sold('cs_open', { metadata: { user_id: 'looker' }, status: 'open' }, ['price_once']);
      sold('cs_other', { metadata: { user_id: 'subscriber' }, mode: 'subscription' }, ['price_once']);
      const looked = await importer().run({ ...ASKED, afterwards: 'report' });
      expect(looked).toMatchObject({ phase: 'done', purchases: 4, subscriptions: SUBSCRIPTIONS + 2 });
      expect(looked.report).toMatchObject({
        purchases: { pro: 3 },
        unlinkedPurchases: { count: 1, first: [{ session: 'cs_nobody', customer: null }] },
      });
      expect(looked.report?.users.pro).toBeGreaterThanOrEqual(2);
      expect(await importer().run(ASKED)).toMatchObject({ phase: 'done', purchases: 4, recorded: 5 });
      const head = (await service.tenure.app.get<EventStore>(EVENT_STORE).head()) ?? '0';
      for (const userId of ['keeper', 'collector'])
        expect(await service.entitlements(userId, head)).toMatchObject({ plan: 'pro', status: 'active' });
      for (const userId of ['drinker', 'looker', 'subscriber'])
        expect(await service.entitlements(userId)).toMatchObject({ plan: 'free' });
      const before = await service.logged();
      expect(await importer().run(ASKED)).toMatchObject({ phase: 'done', recorded: 0 });
      expect(await service.logged()).toBe(before);
    },
    TIMEOUT_MS,
  );

  it(
    'ends with what the key lacks, and records nothing, where it may not read sessions',
    async () => {
      const before = await service.logged();
      const gateway = gatewayTo(api);
      const refused = { ...NOT_FOUND, outcome: 'failed', status: 403, requestId: 'req_1' } as const;
      const limited: ImporterOptions['gateway'] = {
        account: () => gateway.account(),
        object: (about) => gateway.object(about),
        page: async (path, query) => (path === '/v1/checkout/sessions' ? refused : gateway.page(path, query)),
      };
      expect(await importer({ gateway: limited }).run(ASKED)).toMatchObject({
        phase: 'failed',
        recorded: 0,
        failure:
          'Stripe answered GET /v1/checkout/sessions with 403 (req_1): STRIPE_SECRET_KEY may not read that; allow it to the restricted key',
      });
      expect(await service.logged()).toBe(before);
    },
    TIMEOUT_MS,
  );

  it(
    'is refused, and records nothing, where the key is of another account',
    async () => {
      const before = await service.logged();
      const [ours, theirs] = [api.account, 'acct_another'];
      const failed = { phase: 'failed', subscriptions: 0, failure: expect.stringContaining(theirs) };
      const nothingOfOurs = { object: async () => NOT_FOUND, page: async () => NOT_FOUND };
      try {
        expect(await importer({ stripeAccount: theirs }).run(ASKED)).toMatchObject(failed);
        api.account = theirs;
        expect(await importer().run(ASKED)).toMatchObject(failed);
        expect(await importer({ stripeAccount: ours }).run(ASKED)).toMatchObject(failed);
        await service.tenure.pool.query('delete from tenure.stripe_account');
        const account = () => gatewayTo(api).account();
        expect(await importer({ gateway: { ...nothingOfOurs, account } }).run(ASKED)).toMatchObject(failed);
      } finally {
        api.account = ours;
      }
      expect(await service.logged()).toBe(before);
      expect(await importer().run(ASKED)).toMatchObject({ phase: 'done' });
    },
    TIMEOUT_MS,
  );

  it(
    'is refused while another one runs',
    async () => {
      let second: Promise<unknown> = Promise.resolve();
      const first = importer({
        onProgress: () => {
          second = importer()
            .resume()
            .catch((error) => error);
        },
      });
      const waits = first.run({ ...ASKED, afterwards: 'report' });
      await waits;
      expect(await second).toMatchObject({ code: 'import_in_progress' });
    },
    TIMEOUT_MS,
  );
});
