import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { runCli } from '../../src/cli/program.js';
import { problemCode } from '../support/http-call.js';
import { MailServer } from '../support/mail-server.js';
import { AUTHORIZED, PLANS, startService, type TestService, testEnvironment } from '../support/service.js';
import { freePort, ServiceProcess } from '../support/service-process.js';
import { type TestStores, testStores } from '../support/stores.js';
import { StripeApi } from '../support/stripe-api.js';
import {
  customerObject,
  invoiceObject,
  now,
  signed,
  stripeEvent,
  subscriptionObject,
} from '../support/stripe-events.js';
import { until } from '../support/until.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

const ENDPOINTS = '/v1/ops/webhook-endpoints';
const SETTINGS = { WEBHOOKS_ALLOW_PRIVATE: 'true' };

function bought(userId: string) {
  const subscription = subscriptionObject(`sub_${userId}`, 'price_plus', { metadata: { user_id: userId } });
  return stripeEvent('customer.subscription.created', subscription);
}

describe('What follows what happened', () => {
  let stores: TestStores;
  let receiver: WebhookReceiver;
  let service: TestService;
  let mails: MailServer;
  let stripe: StripeApi;
  let folder: string;
  let victim: ServiceProcess;
  /** Of the endpoint that the process made which is killed. */
  let secret: string;
  let endpoint: string;
  let hanging: string;

  beforeAll(async () => {
    [stores, receiver, mails, stripe, folder] = await Promise.all([
      testStores(),
      WebhookReceiver.start(),
      MailServer.start(),
      StripeApi.start(),
      mkdtemp(join(tmpdir(), 'tenure-reactions-')),
    ]);
    const plansFile = join(folder, 'plans.yaml');
    await writeFile(plansFile, PLANS);
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const environment = { ...testEnvironment(stores.database.url, plansFile), ...stores.environment };
    victim = new ServiceProcess({ ...environment, ...SETTINGS, PORT: String(port) });
    await victim.isReady(url);
    const made = await fetch(url + ENDPOINTS, {
      method: 'POST',
      headers: { ...AUTHORIZED, 'content-type': 'application/json' },
      body: JSON.stringify({ url: receiver.url, types: ['access.changed'] }),
    });
    ({ id: endpoint, secret } = (await made.json()) as { id: string; secret: string });
    receiver.answer = () => null;
    const { body, signature } = signed(bought('ann'));
    await fetch(`${url}/webhooks/stripe`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
      body,
    });
    hanging = await until('the message is under way', () => receiver.seen[0]?.said.id);
    await victim.kill('SIGKILL');
    receiver.clear();
    const asking = { ...stripe.environment, RECONCILE_EVERY_HOURS: '0' };
    service = await startService({ stores, environment: { ...SETTINGS, ...asking, ...mails.environment } });
  });
  afterAll(async () => {
    await service.close();
    await victim.kill('SIGKILL');
    await receiver.close();
    await mails.close();
    await stripe.close();
    await stores.drop();
    await rm(folder, { recursive: true });
  });
  afterEach(() => receiver.clear());

  it('is done by another instance when a process was killed in the middle of it: the same message, by its id', async () => {
    await until('it has come', () => receiver.taken.length > 0);
    expect(receiver.taken.map(({ said }) => said.id)).toEqual([hanging]);
    const [first] = receiver.taken;
    expect(new Webhook(secret).verify(first?.text ?? '', first?.headers ?? {})).toMatchObject({
      type: 'access.changed',
      subject: 'ann',
      data: {
        cause: { eventType: 'SubscriptionActivated' },
        snapshot: { plan: 'plus', revocationVersion: 1 },
      },
    });
  });

  it('is sent as it is served, once, with whom it concerns', async () => {
    const { revocationVersion, position } = await service.after('bob', bought('bob'));
    await until('it has come', () => receiver.taken.length > 0);
    const [message] = receiver.taken;
    const { scheduledChange: _, ...snapshot } = await service.entitlements('bob');
    expect(message?.said).toMatchObject({
      subject: 'bob',
      data: { version: revocationVersion, position, snapshot },
    });
    await until('nothing waits', async () => {
      const { text } = await service.get('/metrics');
      return /tenure_reaction_waiting\{reaction="webhooks"\} 0/.test(text);
    });
    const { text } = await service.get('/metrics');
    expect(text).toMatch(/tenure_reaction_tries_total\{reaction="webhooks",outcome="done"\} [1-9]/);
    expect(receiver.taken).toHaveLength(1);
  });

  it('has endpoints whose secret is shown once, is kept sealed, and is the same where one request is repeated', async () => {
    const asked = { url: receiver.url, types: ['trial.ending'], description: 'a test' };
    const key = { 'idempotency-key': 'make-it' };
    const made = await service.ask('POST', ENDPOINTS, asked, key);
    expect(made.status).toBe(201);
    expect(made.body.secret).toMatch(/^whsec_/);
    expect((await service.ask('POST', ENDPOINTS, asked, key)).body).toEqual(made.body);
    const shown = await service.get(ENDPOINTS);
    expect(shown.body.endpoints).toHaveLength(2);
    expect(shown.text).not.toContain('whsec_');
    const { rows } = await service.tenure.pool.query(
      `select (select string_agg(e::text, ' ') from tenure.webhook_endpoint e) as endpoints,
              (select string_agg(k::text, ' ') from tenure.idempotency_key k) as replies`,
    );
    expect(rows[0].endpoints).toContain(made.body.id);
    expect(rows[0].replies).not.toBeNull();
    expect(JSON.stringify(rows)).not.toContain('whsec_');

    const path = `${ENDPOINTS}/${made.body.id}`;
    const tested = await service.ask('POST', `${path}/test`);
    expect(tested.body).toMatchObject({ delivered: true, answered: 204, failure: null });
    const [message] = receiver.taken;
    expect(new Webhook(made.body.secret).verify(message?.text ?? '', message?.headers ?? {})).toMatchObject({
      id: tested.body.id,
      type: 'webhook.test',
    });
    receiver.answer = () => 500;
    expect((await service.ask('POST', `${path}/test`)).body).toMatchObject({
      delivered: false,
      answered: 500,
      failure: 'answered 500',
    });
    const rotated = await service.ask('POST', `${path}/rotate`);
    expect(rotated.body.secret).not.toBe(made.body.secret);
    expect((await service.ask('PATCH', path, { state: 'paused', types: null })).body).toMatchObject({
      state: 'paused',
      types: null,
      description: 'a test',
    });
    expect((await service.ask('DELETE', path)).status).toBe(204);
    expect((await service.get(path)).status).toBe(404);
    expect((await service.ask('DELETE', path)).status).toBe(404);
  });

  it('is kept by the command line as over HTTP: endpoints, and what was given up', async () => {
    const tenure = async (...args: readonly string[]) => {
      const [out, err]: [string[], string[]] = [[], []];
      const code = await runCli(args, {
        environment: { ...service.environment, USER: 'ada' },
        out: (text) => out.push(text),
        err: (text) => err.push(text),
      });
      return { code, out: out.join('').trim(), err: err.join('') };
    };
    const added = await tenure('webhooks', 'add', receiver.url, '-t', 'trial.ending', '--json');
    const { id, secret: first } = JSON.parse(added.out);
    expect((await tenure('webhooks', 'list')).out).toMatch(new RegExp(`${id} +active +trial.ending`));
    expect((await tenure('webhooks', 'test', id)).out).toContain('was taken with 204');
    const [message] = receiver.taken;
    expect(new Webhook(first).verify(message?.text ?? '', message?.headers ?? {})).toMatchObject({
      type: 'webhook.test',
      data: { endpoint: id },
    });
    const rotated = await tenure('webhooks', 'rotate', id);
    expect(rotated.out).toMatch(/^whsec_[\w+/=]+$/);
    expect(rotated.out).not.toBe(first);
    receiver.answer = () => 500;
    expect(await tenure('webhooks', 'test', id)).toMatchObject({
      code: 1,
      out: expect.stringContaining('did not arrive: answered 500'),
    });

    const given = '0b8f7a52-1c0e-5f0a-9d57-6f3f0f2f1c11';
    await service.tenure.pool.query(
      `insert into tenure.reaction_work (id, reaction, lane, "group", payload, state, dead_at)
       values ($1, 'webhooks', $2, $2, $3, 'dead', now())`,
      [given, id, message?.text],
    );
    expect((await tenure('dead-letters', 'list')).out).toContain(given);
    expect(JSON.parse((await tenure('dead-letters', 'list', '--json')).out)).toEqual({
      deadLetters: (await service.get('/v1/ops/dead-letters')).body.deadLetters,
    });
    receiver.clear();
    const replayed = await tenure('dead-letters', 'replay', given, id, '--json');
    expect([replayed.code, JSON.parse(replayed.out)]).toEqual([1, { replayed: [given], unknown: [id] }]);
    await until('it has come', () => receiver.taken.length > 0);
    expect(receiver.taken[0]?.said.data.replayed).toBe(true);

    expect((await tenure('webhooks', 'remove', id)).code).toBe(0);
    expect(await tenure('webhooks', 'remove', id)).toMatchObject({
      code: 1,
      err: 'tenure: There is no such endpoint.\n',
    });
  });

  /** Makes the customer of a user's subscription known to Stripe, with an address. */
  function reachable(userId: string): string {
    const email = `${userId}@mail.example`;
    stripe.has(customerObject(`cus_sub_${userId}`, { email }));
    return email;
  }

  it('is written to the address that Stripe has of the customer, in text and HTML, and to be found nowhere here', async () => {
    const email = reachable('carl');
    await service.after('carl', bought('carl'));
    const [mail] = await until('the mail has come', () => mails.to(email).length > 0 && mails.to(email));
    expect(mail?.text).toContain('Subject: Your plan is now plus');
    expect(mail?.text).toContain('Your plan changed from free to plus.');
    expect(mail?.text).toContain('Content-Type: text/html');
    expect(mail?.text).toMatch(/Message-ID: <[0-9a-f-]{36}@tenure>/);
    expect(mail?.text).toContain('Auto-Submitted: auto-generated');
    const { rows } = await service.tenure.pool.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`,
    );
    for (const { name } of rows) {
      const found = await service.tenure.pool.query(`select from ${name} t where strpos(t::text, $1) > 0`, [
        email,
      ]);
      expect([name, found.rows]).toEqual([name, []]);
    }
  });

  it('is one mail for a failed payment of one invoice, and none of what is a day old', async () => {
    const email = reachable('dora');
    await service.after('dora', bought('dora'));
    const failed = (invoice: string, created: number) =>
      stripeEvent(
        'invoice.payment_failed',
        invoiceObject(invoice, 'sub_dora', 'price_plus', { status: 'open' }),
        { created },
      );
    await service.after(
      'dora',
      failed('in_old', now() - 25 * 3_600),
      failed('in_1', now() - 60),
      failed('in_1', now() - 30),
      failed('in_2', now()),
    );
    const failures = () => mails.to(email).filter(({ text }) => text.includes('Subject: A payment failed'));
    await until('both have come', () => failures().length >= 2);
    expect(failures()).toHaveLength(2);
  });

  it('is written about a trial that ends, and counted where there is no address', async () => {
    const email = reachable('eve');
    const trial = subscriptionObject('sub_eve', 'price_plus', {
      metadata: { user_id: 'eve' },
      status: 'trialing',
      trial_end: Date.parse('2099-12-01T12:00:00Z') / 1_000,
    });
    await service.after(
      'eve',
      stripeEvent('customer.subscription.created', trial),
      stripeEvent('customer.subscription.trial_will_end', trial),
    );
    await until('the mail has come', () =>
      mails.to(email).some(({ text }) => text.includes('ends on 2099-12-01')),
    );
    await service.after('fred', bought('fred'));
    await until('it was skipped', async () => {
      const { text } = await service.get('/metrics');
      return /tenure_mails_total\{kind="upgrade",outcome="no_address"\} [1-9]/.test(text);
    });
  });

  it('has no endpoint that nothing can be sent to', async () => {
    for (const url of ['ftp://example.com/', 'no url', 'https://user:word@example.com/']) {
      const refused = await service.ask('POST', ENDPOINTS, { url });
      expect([refused.status, problemCode(refused)]).toEqual([422, 'url_not_allowed']);
    }
    expect((await service.ask('POST', ENDPOINTS, { url: receiver.url, types: ['none'] })).status).toBe(400);
    expect((await service.ask('PATCH', `${ENDPOINTS}/${endpoint}`, { url: 'no url' })).status).toBe(422);
  });

  it('shows no dead letters where nothing was given up, and replays none that there is not', async () => {
    expect((await service.get('/v1/ops/dead-letters')).body).toEqual({ deadLetters: [], next: null });
    expect((await service.get('/v1/ops/dead-letters?cursor=x')).status).toBe(400);
    const path = '/v1/ops/dead-letters/f0d1a7c2-6a53-5c1c-8a43-0d4f4f7c2b10/replay';
    expect((await service.ask('POST', path)).status).toBe(404);
  });
});
