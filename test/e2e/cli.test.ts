import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { buyer, PRO } from '../support/buyer.js';
import { wholeLog } from '../support/log.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { customerEvent } from '../support/stripe-events.js';
import { until } from '../support/until.js';

describe('The command line, beside a running service', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ environment: SHIPPED_PLANS });
  });
  afterAll(() => service.close());

  function tenure(...args: readonly string[]) {
    return tenureWith({}, 'customers', ...args);
  }

  async function tenureWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
    let [out, err] = ['', ''];
    const code = await runCli(args, {
      environment: { ...service.environment, USER: 'ada', ...environment },
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    return { code, out, err };
  }

  /** Who appended the events of a type. */
  async function actorsOf(type: string): Promise<readonly unknown[]> {
    const all = await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
    return all.filter((each) => each.type === type).map(({ metadata }) => JSON.parse(metadata).actor);
  }

  /** A customer that Stripe tells of; `userId` is its claim. */
  async function customer(id: string, userId?: string): Promise<void> {
    const metadata = userId === undefined ? {} : { user_id: userId };
    const { position } = await service.receive(
      customerEvent({ data: { object: { id, object: 'customer', metadata } } }),
    );
    await service.entitlements('anyone', position);
  }

  it('lists what belongs to nobody, links it once under the name of who did, and lists what disagrees', async () => {
    await customer('cus_lost');
    await customer('cus_left');
    const lost = { kind: 'customer', id: 'cus_lost', customer: null };
    const left = { kind: 'customer', id: 'cus_left', customer: null };
    expect(JSON.parse((await tenure('unlinked', '--json')).out)).toEqual([left, lost]);
    expect(await tenure('unlinked', '--limit', '1')).toEqual({
      code: 0,
      out: 'KIND      ID        CUSTOMER\ncustomer  cus_left  -\n',
      err: 'tenure: there are more; --limit says how many to list\n',
    });

    const linked = await tenure('link', 'cus_lost', 'bob', '--reason', 'asked for', '--json');
    expect(linked.code).toBe(0);
    expect(JSON.parse(linked.out)).toEqual({ outcome: 'applied', position: expect.any(String) });
    expect(await actorsOf('CustomerLinked')).toEqual(['cli:ada']);
    expect(await tenure('link', 'cus_lost', 'bob')).toEqual({
      code: 0,
      out: 'cus_lost was linked to bob before\n',
      err: '',
    });
    await until('the service to know', async () => {
      return JSON.parse((await tenure('unlinked', '--json')).out).length === 1;
    });

    await customer('cus_lost', 'carol');
    expect((await tenure('conflicts')).out).toMatch(/^customer +cus_lost +bob +carol +evt_\w+$/m);
    expect(JSON.parse((await tenure('conflicts', '--json')).out)).toEqual([
      {
        kind: 'customer',
        id: 'cus_lost',
        owner: 'bob',
        claims: [{ userId: 'carol', eventId: expect.any(String) }],
      },
    ]);
    const { rows } = await service.tenure.pool.query('select log from tenure.log_identity');
    expect(rows).toHaveLength(1);
  });

  it('links nobody where the settings name another log than the database was made from', async () => {
    const elsewhere = {
      EVENTSTORE_URL: service.environment.EVENTSTORE_URL ?? 'esdb://127.0.0.1:1?tls=false',
      STREAM_PREFIX: 'another.',
    };
    const before = await service.logged();
    const refused = await tenureWith(elsewhere, 'customers', 'link', 'cus_else', 'bob');
    expect(refused).toMatchObject({ code: 78, out: '' });
    expect(refused.err).toContain('was made from the log');
    expect(await service.logged()).toBe(before);
  });

  it.each([
    [['link', 'cus lost', 'bob'], 'no id of Stripe'],
    [['link', 'cus_1', ''], '1 to 255 characters'],
    [['link', 'cus_1'], 'missing required argument'],
    [['unlinked', '--limit', '0'], 'whole number'],
  ])('says that %j is called wrongly', async (args, word) => {
    const ended = await tenure(...args);
    expect(ended).toMatchObject({ code: 64, out: '' });
    expect(ended.err).toContain(word);
  });

  it('shows a user with the subscriptions behind, and the events in order', async () => {
    const who = buyer('dave');
    const told = [who.started('active'), who.pays('subscription_create'), who.switchesTo(PRO)];
    let position = '0';
    for (const { body } of told) position = (await service.receive(body)).position ?? position;
    const snapshot = await service.entitlements('dave', position);

    const shown = await tenureWith({}, 'users', 'show', 'dave');
    expect(shown).toMatchObject({ code: 0, err: '' });
    expect(shown.out).toMatch(/^plan +plus \(role paid, status active\)$/m);
    expect(shown.out).toMatch(/^version +1 \(1 in generation 1, offset 0\)$/m);
    expect(shown.out).toMatch(/^waits for +pro \(\w+\)$/m);
    expect(shown.out).toMatch(/^sub_\w+ +cus_\w+ +active +price_pro_m x 1 /m);
    const { out } = await tenureWith({}, 'users', 'show', 'dave', '--json');
    expect(JSON.parse(out)).toMatchObject({
      snapshot,
      version: { generation: 1, counter: 1, offset: 0 },
      subscriptions: [{ status: 'active', items: [{ price: 'price_pro_m', quantity: 1 }] }],
    });

    const events = (await tenureWith({}, 'log', 'show', '--user', 'dave', '--json')).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const log = await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
    const own = log.filter(({ metadata }) =>
      told.some(({ body }) => JSON.parse(body).id === JSON.parse(metadata).stripeEventId),
    );
    expect(own).toHaveLength(told.length);
    expect(events.map((each) => each.position)).toEqual(own.map((each) => each.position));
    expect(events.map((each) => [each.type, each.stripeEventId])).toEqual(
      own.map(({ type, metadata }) => [type, JSON.parse(metadata).stripeEventId]),
    );
    const last = await tenureWith({}, 'log', 'show', '--user', 'dave', '--limit', '1');
    expect(last.out).toMatch(new RegExp(`^POSITION .*\\n${events.at(-1)?.position} .*\\n$`));
    expect(last.err).toBe(`tenure: ${events.length - 1} earlier ones; --limit says how many\n`);
    expect((await tenureWith({}, 'users', 'show', 'nobody')).out).toMatch(
      /^plan +free .*no subscriptions$/ms,
    );
    expect(await tenureWith({}, 'users', 'show', '')).toMatchObject({ code: 64 });

    const explained = await tenureWith({}, 'users', 'explain', 'dave');
    expect(explained).toMatchObject({ code: 0, err: '' });
    expect(explained.out).toMatch(
      /^plan \(only_plan\)\n {2}The plan is plus, of the subscription sub_\w+, which alone gives one\.$/m,
    );
    const reasons = JSON.parse((await tenureWith({}, 'users', 'explain', 'dave', '--json')).out);
    const answer = await service.call({
      path: '/v1/users/dave/entitlements?explain=true',
      headers: AUTHORIZED,
    });
    expect(reasons).toEqual(answer.body);
    const before = await tenureWith({}, 'users', 'explain', 'dave', '--at', '2020-01-01T00:00:00Z');
    expect(before.out).toMatch(/^dave: free .*^plan \(default_plan\)$/ms);
    expect(await tenureWith({}, 'users', 'explain', 'dave', '--at', 'then')).toMatchObject({ code: 64 });
  });
});
