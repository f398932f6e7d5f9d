import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { EVENT_STREAM_PATH } from '../../src/api/ofrep/flag-changes.js';
import { TreeKeeper } from '../../src/audit/tree/tree-keeper.js';
import { StreamTickets } from '../../src/auth/stream-tickets.js';
import { HEADER_BYTES } from '../../src/backup/backup-format.js';
import { runCli } from '../../src/cli/program.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { createLogger } from '../../src/observability/logger.js';
import { wholeLog } from '../support/log.js';
import { ADMIN_KEY, startService, type TestService } from '../support/service.js';
import { type TestStores, testStores } from '../support/stores.js';
import { type StripeEvent, stripeEvent, subscriptionObject } from '../support/stripe-events.js';
import { type TraceReceiver, traceReceiver } from '../support/trace-receiver.js';
import { until } from '../support/until.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';
import { readEvents } from './support/event-reader.js';
import { Shop } from './support/shop.js';

const ADA = 'ada-whose-id-is-found-42';
const ON = { USER_ID_PSEUDONYMS: 'true' };
const PSEUDONYM = /psn_[0-9a-f]{32}/;

/** A subscription that names its user; `created` is of the subscription, Unix seconds. */
function started(id: string, userId: string, created: number, price = 'price_plus'): StripeEvent {
  const more = { metadata: { user_id: userId }, created, customer: `cus_of_${id}` };
  return stripeEvent('customer.subscription.created', subscriptionObject(id, price, more));
}

const now = (): number => Math.floor(Date.now() / 1_000);

/** Runs a command with the settings of a service. */
async function tenureAt(environment: TestService['environment'], ...args: readonly string[]) {
  let [out, err] = ['', ''];
  const code = await runCli(args, {
    environment: { ...environment, USER: 'ops' },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

describe('With pseudonyms in place of user ids', () => {
  let stores: TestStores;
  let service: TestService;
  let receiver: WebhookReceiver;
  let traces: TraceReceiver;
  let folder: string;
  /** What the service logged, at the level that says most. */
  let said = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tenure-erasure-'));
    stores = await testStores();
    receiver = await WebhookReceiver.start();
    traces = await traceReceiver();
    service = await startAgain();
  });
  afterAll(async () => {
    await service.close();
    await receiver.close();
    await traces.close();
    await stores.drop();
    await rm(folder, { recursive: true });
  });

  function startAgain(more: Readonly<Record<string, string>> = {}): Promise<TestService> {
    const logger = createLogger('trace', {
      write: (line) => {
        said += line;
      },
    });
    const mirrored = { AUDIT_ORIGIN: 'example.com/log', AUDIT_MIRROR: join(folder, 'mirror') };
    const followed = { OTEL_EXPORTER_OTLP_ENDPOINT: traces.url };
    const environment = { ...ON, ...mirrored, ...followed, WEBHOOKS_ALLOW_PRIVATE: 'true', ...more };
    return startService({ stores, environment, hooks: { logger } });
  }

  function tenure(...args: readonly string[]) {
    return tenureAt(service.environment, ...args);
  }

  /** What a backup in the test's folder holds, as text. */
  async function backedUp(name: string): Promise<string> {
    return gunzipSync((await readFile(join(folder, name))).subarray(HEADER_BYTES)).toString('utf8');
  }

  /** The files in a folder below the test's own in which `text` is; of all of them where it is `''`. */
  async function filesWith(text: string, name: string): Promise<readonly string[]> {
    const entries = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const texts = await Promise.all(files.map(async (file) => [file, await readFile(file)] as const));
    return texts.filter(([, bytes]) => bytes.includes(text)).map(([file]) => file);
  }

  /** Every table with a row in which `text` is. */
  async function tablesWith(text: string, { pool } = stores.database): Promise<readonly string[]> {
    const { rows } = await pool.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'm') and n.nspname !~ '^pg_toast' and n.nspname <> 'information_schema' order by 1`,
    );
    const found: string[] = [];
    for (const { name } of rows) {
      const { rows: hits } = await pool.query(
        `select 1 from ${name} t where t::text like '%' || $1 || '%' limit 1`,
        [text],
      );
      // The question itself is in the view of what runs, and in none of the tables.
      if (hits.length > 0) found.push(name);
    }
    return found;
  }

  /** Whether some bytes are in the data files of the database, as PostgreSQL has written them. */
  async function isInDataFiles(text: string): Promise<boolean> {
    const { pool } = stores.database;
    await pool.query('checkpoint');
    const { rows } = await pool.query(
      `select 1 from (select 'base/' || oid as folder from pg_database where datname = current_database()) d,
         lateral pg_ls_dir(d.folder) as name
       where position(convert_to($1, 'UTF8') in pg_read_binary_file(d.folder || '/' || name, 0, 1000000000, true)) > 0`,
      [text],
    );
    return rows.length > 0;
  }

  const log = () => wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
  const isInLog = async (text: string) => (await log()).some((event) => JSON.stringify(event).includes(text));

  it('callers meet user ids everywhere, and log and read models hold none', async () => {
    const url = { url: receiver.url, types: ['access.changed'] };
    expect((await service.ask('POST', '/v1/ops/webhook-endpoints', url)).status).toBe(201);
    const snapshot = await service.after(ADA, started('sub_1', ADA, now()));
    const [message] = await until('the message', () => receiver.taken.length > 0 && receiver.taken);
    expect(message?.said).toMatchObject({ subject: ADA, data: { snapshot: { userId: ADA } } });
    expect(message?.text).not.toMatch(PSEUDONYM);
    expect(snapshot).toMatchObject({ userId: ADA, plan: 'plus' });
    const granted = await service.ask(
      'POST',
      `/v1/users/${ADA}/grants`,
      { features: ['api'], reason: 'as promised' },
      { 'idempotency-key': `key-of-${ADA}`, 'x-request-id': `request-of-${ADA}` },
    );
    expect(granted).toMatchObject({ status: 201 });
    await service.ask('PUT', '/v1/customers/cus_2/link', { userId: 'bob' });
    const position = (await service.ask('PUT', `/v1/users/${ADA}/usage/members`, { value: 7 })).body.position;
    await service.entitlements(ADA, String(position));

    const replies = await Promise.all([
      service.get(`/v1/users/${ADA}/entitlements?explain=true`),
      service.get(`/v1/users/${ADA}/grants`),
      service.get('/v1/users'),
      service.get('/v1/revocations'),
      service.get(`/v1/audit/users/${ADA}/history`),
      service.get('/v1/audit/entitlements'),
      service.ask('POST', '/v1/entitlements/batch', { userIds: [ADA, 'nobody'] }),
      service.ask('POST', '/ofrep/v1/evaluate/flags', { context: { targetingKey: ADA } }),
    ]);
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    for (const { text } of replies) expect(text).not.toMatch(PSEUDONYM);
    expect(replies[2]?.body).toMatchObject({ items: [{ userId: ADA }] });
    expect(replies[3]?.text).toContain(ADA);
    expect(replies[6]?.body).toMatchObject({
      entitlements: [{ userId: ADA }, { userId: 'nobody', plan: 'free' }],
    });

    const { body } = await service.ask('POST', `/v1/users/${ADA}/token`);
    const claims = JSON.parse(Buffer.from(String(body.token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ sub: ADA, plan: 'plus' });
    const asked = { method: 'POST', path: '/v1/introspect', body: `token=${String(body.token)}` };
    const headers = {
      authorization: `Bearer ${ADMIN_KEY}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    expect((await service.call({ ...asked, headers })).body).toMatchObject({ active: true, sub: ADA });
    const shown = await tenure('users', 'show', ADA, '--json');
    expect(JSON.parse(shown.out)).toMatchObject({ snapshot: { userId: ADA, plan: 'plus' } });

    const events = (await service.get(`/v1/audit/events?user=${ADA}`)).text;
    expect(events).toMatch(PSEUDONYM);
    expect(events).not.toContain(ADA);
    expect(await isInLog(ADA)).toBe(false);
    expect(await tablesWith(ADA)).toEqual(['tenure.pseudonym']);
  });

  it('what is said for the log holds neither the user id nor an address of an e-mail', async () => {
    const grant = (reason: string, actor?: string) =>
      service.ask('POST', `/v1/users/${ADA}/grants`, { features: ['api'], reason, actor });
    const before = await service.logged();
    for (const refused of [
      await grant(`for ${ADA}`),
      await grant('ok', ADA),
      await grant('as a@b.example says'),
    ]) {
      expect(refused).toMatchObject({ status: 422, body: { code: 'unfit_text' } });
    }
    const revoked = await service.ask('DELETE', `/v1/users/${ADA}/overrides/api?reason=${ADA}`);
    expect(revoked).toMatchObject({ status: 422, body: { code: 'unfit_text' } });
    expect((await tenure('grants', 'issue', ADA, '--feature', 'api', '--reason', `for ${ADA}`)).code).toBe(1);
    expect(await service.logged()).toBe(before);
  });

  it('the log keeps the setting: a start with another one ends with a line that says so', async () => {
    const otherwise = startService({ stores, environment: { USER_ID_PSEUDONYMS: 'false' } });
    await expect(otherwise).rejects.toThrow('USER_ID_PSEUDONYMS must be true');
    expect((await tenure('users', 'show', ADA)).code).toBe(0);
  });

  it('an erasure leaves nothing that tells whose anything is, and Stripe gives the user nothing more', async () => {
    const pairs = await stores.database.pool.query('select * from tenure.pseudonym where user_id = $1', [
      ADA,
    ]);
    expect(await tenure('backup', join(folder, 'before.backup'))).toMatchObject({ code: 0 });
    expect(await isInDataFiles(ADA)).toBe(true);
    receiver.answer = () => 500;
    const grant = { plan: 'pro', reason: 'nobody is told of it' };
    expect((await service.ask('POST', `/v1/users/${ADA}/grants`, grant)).status).toBe(201);
    await until('a message of it that is not taken', () =>
      receiver.seen.some(({ text }) => text.includes('"plan":"pro"')),
    );
    const path = `/v1/users/${ADA}/entitlements`;
    const stream = await readEvents(service.url, 'GET', `${path}/stream`);
    expect(await stream.first('snapshot')).toMatchObject({ userId: ADA });
    const ticket = service.tenure.app
      .get(StreamTickets)
      .issue(await service.storedId(ADA), Date.now() + 3_600_000);
    const ticketed = { path: `${EVENT_STREAM_PATH}?ticket=${ticket}` };
    const flags = await readEvents(service.url, 'GET', ticketed.path, undefined, { authorization: '' });
    await flags.first('message');
    const { etag } = (await service.get(path)).headers;
    const waiting = service.get(`${path}?wait=25`, { 'if-none-match': String(etag) });
    const erased = await tenure('users', 'erase', ADA, '--json');
    expect(erased).toMatchObject({ code: 0, err: '' });
    const report = JSON.parse(erased.out);
    expect(report).toMatchObject({
      outcome: 'erased',
      left: { customers: ['cus_of_sub_1'], subscriptions: ['sub_1'] },
    });
    expect((await tenure('users', 'erase', ADA, '--json')).out).toContain('was_erased');

    await until(
      'the service to know',
      async () => (await service.get(`/v1/users/${ADA}/grants`)).status === 410,
    );
    receiver.clear();
    const work = 'select 1 from tenure.reaction_work';
    await until('no message to be kept', async () => (await stores.database.pool.query(work)).rowCount === 0);
    expect(receiver.seen).toEqual([]);
    expect(await stream.ended).toBe(true);
    expect(stream.events.map(({ event }) => event)).toEqual(['snapshot']);
    expect(await flags.ended).toBe(true);
    const subject = { type: 'user', id: ADA };
    const resource = { type: 'feature', id: 'api' };
    const action = { name: 'use' };
    const routes = [
      await waiting,
      await service.call(ticketed),
      await service.get(path),
      await service.get(`${path}/stream`),
      await service.get(`${path}?explain=true`),
      await service.ask('POST', '/ofrep/v1/evaluate/flags', { context: { targetingKey: ADA } }),
      await service.ask('POST', '/ofrep/v1/evaluate/flags/api', { context: { targetingKey: ADA } }),
      await service.ask('POST', '/access/v1/evaluation', { subject, resource, action }),
      await service.ask('POST', '/access/v1/evaluations', { subject, resource, action }),
      await service.ask('POST', `/v1/users/${ADA}/token`),
      await service.get(`/v1/audit/events?user=${ADA}`),
      await service.ask('PUT', `/v1/users/${ADA}/usage/members`, { value: 1 }),
      await service.ask('PUT', '/v1/customers/cus_9/link', { userId: ADA }),
      await service.get(`/v1/audit/users/${ADA}/history`),
    ];
    for (const each of routes) expect(each).toMatchObject({ status: 410, body: { code: 'user_erased' } });
    const batch = await service.ask('POST', '/v1/entitlements/batch', { userIds: [ADA, 'bob'] });
    expect(batch.body).toMatchObject({
      entitlements: [
        { userId: ADA, code: 'user_erased' },
        { userId: 'bob', plan: 'free' },
      ],
    });
    const bob = { subject: { type: 'user', id: 'bob' }, resource: { type: 'feature', id: 'reports' } };
    const several = { subject, resource, action, evaluations: [{}, bob] };
    expect((await service.ask('POST', '/access/v1/evaluations', several)).body).toMatchObject({
      evaluations: [
        { decision: false, context: { error: { status: 410, message: 'user_erased' } } },
        { decision: true },
      ],
    });
    expect((await service.get('/v1/users')).body).toMatchObject({ items: [] });
    expect((await service.get('/v1/revocations')).text).not.toMatch(/ada|psn_/);
    const byPseudonym = await service.get(`/v1/audit/users/${report.pseudonym}/history`);
    expect(byPseudonym).toMatchObject({ status: 200 });
    expect(byPseudonym.text).not.toContain(ADA);

    const { position } = await service.receive(started('sub_2', ADA, now()));
    await service.entitlements('bob', position);
    expect((await service.get('/v1/ops/unlinked')).text).toContain('sub_2');
    const { body } = await service.get('/v1/ops/erased-claims');
    expect(body).toMatchObject({ items: [{ object: 'sub_2', times: 1 }] });
    expect((await service.get('/metrics')).text).toMatch(/tenure_erased_claims_total 1\b/);

    expect(await isInLog(ADA)).toBe(false);
    expect(await tablesWith(ADA)).toEqual([]);
    // What a transaction of before may still see is kept by `vacuum full`; on a busy machine one may be open for long. A
    // snapshot looks back to the first transaction that writes in any database of the server, and other tests have theirs there.
    const { pool } = stores.database;
    const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now');
    await until('the end of the transactions of before', async () => {
      const open = await pool.query(
        `select from pg_stat_activity
         where xact_start < $1 and pid <> pg_backend_pid() and (datname = current_database() or backend_xid is not null)`,
        [rows[0]?.now],
      );
      return open.rowCount === 0;
    });
    await pool.query('vacuum full');
    expect(await isInDataFiles(ADA)).toBe(false);
    expect((await tenure('audit', 'verify')).code).toBe(0);
    expect((await tenure('projections', 'verify')).code).toBe(0);

    const forBob = await service.ask('POST', '/v1/users/bob/grants', {
      plan: 'plus',
      reason: 'somebody else',
    });
    await service.entitlements('bob', String(forBob.body.position));
    await service.tenure.app.get(TreeKeeper).keepUp();
    for (const [name, user] of [
      ['of-nobody', report.pseudonym],
      ['of-bob', 'bob'],
    ]) {
      const out = join(folder, 'exports', name);
      expect(await tenure('audit', 'export', '--user', user, '--out', out)).toMatchObject({
        code: 0,
        err: '',
      });
      const file = join(out, 'export.ndjson');
      const alone = await tenureAt({ USER_ID_PSEUDONYMS: 'true' }, 'audit', 'verify-export', file);
      expect(alone).toMatchObject({ code: 0, out: expect.stringContaining('user "psn_'), err: '' });
    }
    expect(await tenure('backup', join(folder, 'after.backup'))).toMatchObject({ code: 0 });
    for (const name of ['mirror', 'exports']) {
      expect(await filesWith('', name)).not.toEqual([]);
      expect(await filesWith(ADA, name)).toEqual([]);
    }
    expect(await backedUp('before.backup')).toContain(ADA);
    expect(await backedUp('after.backup')).not.toContain(ADA);
    expect(said).toContain('"level":"debug"');
    expect(said).not.toContain(ADA);

    // As a restore of the database from before the erasure would leave it, beside a log that has it.
    await service.close();
    expect(traces.text).toContain('"append"');
    expect(traces.text).not.toContain(ADA);
    const { pseudonym, since } = pairs.rows[0];
    await stores.database.pool.query(
      'update tenure.pseudonym set user_id = $1, since = $3 where pseudonym = $2',
      [ADA, pseudonym, since],
    );
    await stores.database.pool.query('truncate tenure.erased_user');
    service = await startAgain();
    expect((await service.get(`/v1/users/${ADA}/entitlements`)).status).toBe(410);
    expect(await tablesWith(ADA)).toEqual([]);
  });

  it('a backup of log and database from before, restored, does not bring the user back', async () => {
    const list = join(folder, 'erasures');
    const { out } = await tenure('users', 'erasures');
    expect(out).not.toContain(ADA);
    await writeFile(list, out);
    const restored = await testStores();
    try {
      // With the log in PostgreSQL, whichever store it was taken of.
      const place = { EVENTSTORE_URL: '', STREAM_PREFIX: service.prefix };
      const environment = { ...service.environment, ...restored.environment, ...place };
      expect(await tenureAt(environment, 'restore', join(folder, 'before.backup'))).toMatchObject({
        code: 0,
      });
      expect(await tablesWith(ADA, restored.database)).toEqual(['tenure.pseudonym']);
      const again = await tenureAt(environment, 'users', 'erase-again', list, '--json');
      expect(again).toMatchObject({ code: 0, out: '{"erased":1}\n' });
      expect(await tenureAt(environment, 'users', 'erase-again', list, '--json')).toMatchObject({
        out: '{"erased":0}\n',
      });
      expect(await tablesWith(ADA, restored.database)).toEqual([]);
      const other = await startService({ stores: restored, environment: { ...ON, ...place } });
      expect((await other.get(`/v1/users/${ADA}/entitlements`)).status).toBe(410);
      await other.close();
    } finally {
      await restored.drop();
    }
  });

  it('a user who is taken in again begins anew, with what is made from then on', async () => {
    expect(await tenure('users', 'readmit', ADA)).toMatchObject({ code: 0 });
    await until(
      'the service to know',
      async () => (await service.get(`/v1/users/${ADA}/grants`)).status === 200,
    );
    expect((await service.get(`/v1/users/${ADA}/grants`)).body).toMatchObject({ grants: [] });
    const old = started('sub_old', ADA, now() - 86_400, 'price_pro');
    expect(await service.after(ADA, old)).toMatchObject({ userId: ADA, plan: 'free' });
    expect(await service.after(ADA, started('sub_3', ADA, now() + 1))).toMatchObject({ plan: 'plus' });
    expect(await tenure('users', 'readmit', ADA)).toMatchObject({ code: 1 });
    const { position } = (await service.ask('PUT', '/v1/subscriptions/sub_old/link', { userId: ADA })).body;
    expect(await service.entitlements(ADA, String(position))).toMatchObject({ plan: 'pro' });
  });

  it('a database that lost single ids is looked at, and one that lost all of them is not served', async () => {
    const { pool } = stores.database;
    await service.close();
    await pool.query(`create table kept as select * from tenure.pseudonym`);
    await pool.query('delete from tenure.pseudonym where user_id = $1', [ADA]);
    service = await startAgain();
    await until('nothing else is wrong once it has started', async () => {
      const { problems } = (await service.get('/health/ready')).body;
      return JSON.stringify(problems) === '["pseudonyms_missing"]';
    });
    expect((await service.get('/v1/ops/missing-pseudonyms')).body).toMatchObject({
      items: [{ pseudonym: expect.stringMatching(PSEUDONYM) }],
    });
    await service.close();
    await pool.query('delete from tenure.pseudonym');
    const lost = startService({ stores, environment: ON });
    await expect(lost).rejects.toThrow('pseudonyms_missing');
    await pool.query('insert into tenure.pseudonym select * from kept');
    service = await startAgain({ USER_ID_EMAIL: 'allow' });
    expect(await service.entitlements(ADA)).toMatchObject({ plan: 'pro' });
  });

  it('a user id that looks like an address of an e-mail is warned of, and with USER_ID_EMAIL=allow not', async () => {
    const { length } = said;
    const userId = 'eve@b.example';
    expect(await service.after(userId, started('sub_eve', userId, now()))).toMatchObject({ plan: 'plus' });
    expect(said.slice(length)).not.toContain('USER_ID_EMAIL');
    await service.close();
    service = await startAgain();
    expect(await service.entitlements('other@b.example')).toMatchObject({ plan: 'free' });
    expect(said.slice(length)).toContain('USER_ID_EMAIL');
    expect(said).not.toContain('b.example');
  });
});

describe('A shop with pseudonyms in place of user ids', () => {
  it('takes an erased user in again who begins to buy, as somebody new, and no other request does', async () => {
    const PLUS = { plan: 'plus', interval: 'monthly' };
    const shop = await Shop.open({ startsAgo: 0, environment: ON });
    const { service } = shop;
    try {
      await shop.buy(ADA, PLUS);
      expect(await service.entitlements(ADA)).toMatchObject({ userId: ADA, plan: 'plus' });
      const [before] = await shop.customersOf(ADA);
      expect(await tenureAt(service.environment, 'users', 'erase', ADA)).toMatchObject({ code: 0 });
      const status = async () => (await service.get(`/v1/users/${ADA}/entitlements`)).status;
      await until('the service to know', async () => (await status()) === 410);
      await shop.later(120);
      expect((await shop.begin(ADA, { ...PLUS, plan: 'nothing' })).status).toBe(422);
      expect(await status()).toBe(410);

      expect(await shop.buy(ADA, PLUS)).toMatchObject({ status: 'complete' });
      const { source, ...anew } = await service.entitlements(ADA);
      expect(anew).toMatchObject({ userId: ADA, plan: 'plus' });
      expect(await shop.customersOf(ADA)).toHaveLength(2);
      expect(JSON.stringify(source)).not.toContain(before);
      const types = (await wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE))).map(({ type }) => type);
      expect(types.filter((type) => /^User/.test(type))).toEqual(['UserErased', 'UserReadmitted']);
    } finally {
      await shop.close();
    }
  });
});

describe('With user ids as they are', () => {
  it('an erasure changes nothing, says so and ends with 1', async () => {
    const service = await startService({
      environment: { USER_ID_PSEUDONYMS: 'false', USER_ID_EMAIL: 'refuse' },
    });
    try {
      const before = await service.logged();
      let err = '';
      const code = await runCli(['users', 'erase', ADA], {
        environment: service.environment,
        out: () => undefined,
        err: (text) => {
          err += text;
        },
      });
      expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining('nothing was changed') });
      expect(await service.logged()).toBe(before);

      const address = 'a%40b.example';
      expect(
        (await service.ask('PUT', `/v1/users/${address}/usage/members`, { value: 1 })).body,
      ).toMatchObject({
        code: 'invalid_user_id',
      });
      const issued = await tenureAt(
        service.environment,
        ...['grants', 'issue', 'a@b.example', '--feature', 'api', '--reason', 'ok'],
      );
      expect(issued).toMatchObject({ code: 1, err: expect.stringContaining('USER_ID_EMAIL') });
      expect(await service.logged()).toBe(before);
      const { position } = await service.receive(started('sub_1', 'a@b.example', now()));
      await service.entitlements('bob', position);
      expect((await service.get('/v1/ops/unlinked')).text).toContain('sub_1');
    } finally {
      await service.close();
    }
  });
});
