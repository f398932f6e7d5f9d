import { historySchema } from '../../src/api/audit/audit.schemas.js';
import { runCli } from '../../src/cli/program.js';
import { loadSettings } from '../../src/config/settings.js';
import { EVENT_STORE, type EventStore } from '../../src/event-store/event-store.js';
import { openEventStore } from '../../src/event-store/open-event-store.js';
import { parseEvent } from '../../src/events/event-envelope.js';
import type { StoredEvent } from '../../src/events/stored-event.js';
import { buyer, PLUS, PRO } from '../support/buyer.js';
import { recordCopies } from '../support/copied-lives.js';
import { problemCode } from '../support/http-call.js';
import { logInEventStoreDb, wholeLog } from '../support/log.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';
import { LongLog, timesOf } from './support/long-log.js';
import { SlowReader } from './support/slow-reader.js';

/** Events of the log that is long, in the soak. */
const LONG_LOG_EVENTS = Number(process.env.AUDIT_READ_EVENTS ?? 0);
/** Jest's limit for it, in milliseconds. */
const LONG_LOG_MS = 3_600_000;
const ann = buyer('ann');
const bob = buyer('bob');
let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: SHIPPED_PLANS });
  for (const { body } of [
    ann.started('incomplete'),
    ann.pays('subscription_create'),
    bob.started('active'),
    ann.becomes('active'),
    ann.switchesTo(PRO),
    ann.pays('subscription_update'),
  ]) {
    await service.receive(body);
  }
  await service.ask('PUT', `/v1/subscriptions/${bob.id}/link`, { userId: 'bea', reason: 'a gift' });
  await service.receive(ann.ends().body);
  const { position } = await service.receive(bob.becomes('past_due').body);
  await service.entitlements('ann', position);
});
afterAll(() => service.close());

function log(): Promise<readonly StoredEvent[]> {
  return wholeLog(service.tenure.app.get<EventStore>(EVENT_STORE));
}

/** Every look that the log holds, as `kind of whom`, in its order. */
async function looks(): Promise<readonly string[]> {
  const found = (await log()).flatMap((stored) => {
    const event = parseEvent(stored);
    return event.type === 'AuditAccessed' ? [`${event.data.kind} of ${event.data.userId ?? 'all'}`] : [];
  });
  return Promise.all(found.map((look) => service.revealed(look)));
}

/** Does it again where the hour turned meanwhile: a look is recorded once an hour. */
async function inOneHour(work: () => Promise<void>): Promise<void> {
  const hour = (): number => Math.floor(Date.now() / 3_600_000);
  for (;;) {
    const begun = hour();
    try {
      return await work();
    } catch (error) {
      if (hour() === begun) throw error;
    }
  }
}

describe('The log, over HTTP', () => {
  /** The events that are answered, and the last line. */
  async function events(query: string) {
    const { status, headers, text } = await service.ask('GET', `/v1/audit/events${query}`);
    expect([status, headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    const lines = text.trimEnd().split('\n');
    return { events: lines.slice(0, -1), last: JSON.parse(lines.at(-1) ?? '') };
  }

  const lineOf = ({ position, stream, revision, id, type, data, metadata }: StoredEvent): string =>
    `${JSON.stringify({ position, stream, revision, id, type }).slice(0, -1)},"data":${data},"metadata":${metadata}}`;

  it('has every event as the store has it, its hashed texts byte for byte, the reading itself among them', async () => {
    await inOneHour(async () => {
      const { events: lines, last } = await events('');
      const all = await log();
      expect(lines).toEqual(all.map(lineOf));
      expect(last).toEqual({ cursor: all.at(-1)?.position, complete: true });
      expect(new Set(await looks())).toEqual(new Set(['events of all']));
    });
  });

  it('goes on from any event, ends at any, and begins with any', async () => {
    await inOneHour(async () => {
      const all = await log();
      const [first, second, third] = all.map(({ position }) => position);
      const lines = all.map(lineOf);
      expect((await events(`?cursor=${second}`)).events).toEqual(lines.slice(2));
      expect(await events(`?to=${second}`)).toEqual({
        events: lines.slice(0, 2),
        last: { cursor: second, complete: true },
      });
      expect((await events(`?from=${second}&to=${third}`)).events).toEqual(lines.slice(1, 3));
      expect((await events(`?from=${first}&cursor=${all.at(-1)?.position}`)).events).toEqual([]);
      const answer = await service.ask('GET', '/v1/audit/events?from=7');
      if (!all.some(({ position }) => position === '7')) expect(problemCode(answer)).toBe('position_unknown');
    });
  });

  it('is filtered by stream, by user, by Stripe event and by time of recording', async () => {
    const all = await log();
    const named = (type: string) => all.filter((event) => event.type === type).map(lineOf);
    const stream = `${service.prefix}subscription-${bob.id}`;
    const ofStream = all.filter((event) => event.stream === stream).map(lineOf);
    expect((await events(`?stream=${stream}`)).events).toEqual(ofStream);
    expect((await events('?user=bea')).events).toEqual(ofStream);
    // Who it was taken from keeps what named them.
    expect((await events('?user=bob')).events).toEqual(ofStream);
    expect((await events(`?user=bea&stream=${stream}`)).events).toEqual(ofStream);
    expect(await events('?user=nobody')).toEqual({ events: [], last: { cursor: null, complete: true } });
    const { stripeEventId, recordedAt } = JSON.parse(
      all.find(({ type }) => type === 'SubscriptionPaid')?.metadata ?? '',
    );
    expect((await events(`?stripeEventId=${stripeEventId}`)).events).toEqual(
      named('SubscriptionPaid').slice(0, 1),
    );
    const at = (event: StoredEvent): string => JSON.parse(event.metadata).recordedAt;
    expect((await events(`?until=${recordedAt}`)).events).toEqual(
      all.filter((each) => at(each) <= recordedAt).map(lineOf),
    );
    expect((await events(`?user=ann&since=${recordedAt}`)).events).toEqual(
      all.filter((each) => each.stream.endsWith(ann.id) && at(each) >= recordedAt).map(lineOf),
    );
  });

  it.each([
    ['from=0', 'invalid_request'],
    ['cursor=x', 'invalid_request'],
    ['stream=elsewhere', 'invalid_request'],
    ['since=today', 'invalid_request'],
    ['user=a&user=b', 'invalid_request'],
    ['user=', 'invalid_user_id'],
    ['page=2', 'unsupported_parameter'],
  ])('refuses %s', async (query, code) => {
    const answer = await service.ask('GET', `/v1/audit/events?${query}`);
    expect([answer.status, problemCode(answer)]).toEqual([400, code]);
  });
});

async function history(query: string, userId = 'ann') {
  const { status, body, text } = await service.ask('GET', `/v1/audit/users/${userId}/history${query}`);
  expect([status, text]).toEqual([200, text]);
  return historySchema.parse(body);
}

describe('The history of a user, over HTTP', () => {
  it('is every snapshot that held, each until the next, with what changed and the event behind it', async () => {
    const { items, next } = await history('');
    const all = await log();
    expect(next).toBeNull();
    expect(
      items.map(({ snapshot: { plan, status, pendingPayment } }) => [plan, status, pendingPayment === null]),
    ).toEqual([
      ['plus', 'active', true],
      ['plus', 'active', false],
      ['pro', 'active', true],
      ['free', 'canceled', true],
    ]);
    expect(await service.entitlements('ann')).toMatchObject(items.at(-1)?.snapshot ?? {});
    expect(items.map(({ until }) => until)).toEqual([...items.slice(1).map(({ from }) => from), null]);
    for (const { cause } of items) {
      const event = all.find(({ id }) => cause.kind === 'event' && id === cause.id);
      const { stripeEventId, stripeEventType, recordedAt } = JSON.parse(event?.metadata ?? '');
      expect(cause).toMatchObject({
        kind: 'event',
        type: event?.type,
        position: event?.position,
        actor: 'stripe',
        recordedAt,
        stripe: { eventId: stripeEventId, eventType: stripeEventType },
      });
    }
    expect(items[0]?.changed).toContainEqual({ field: 'plan', before: 'free', after: 'plus' });
    expect(items[1]?.changed.map(({ field }) => field)).toEqual(['pendingPayment']);
    expect(items[2]?.changed).toContainEqual({ field: 'plan', before: 'plus', after: 'pro' });
    expect(items[2]?.changed.map(({ field }) => field)).not.toContain('role');
  });

  it('is the same page by page, in either order, though it grows meanwhile', async () => {
    const carl = buyer('carl');
    const tell = async (...told: readonly { readonly body: string }[]) => {
      let last: string | undefined;
      for (const { body } of told) last = (await service.receive(body)).position;
      return service.entitlements('carl', last);
    };
    await tell(carl.started('active'), carl.becomes('past_due'), carl.becomes('active'));
    const { items: before } = await history('', 'carl');
    expect(before).toHaveLength(3);
    for (const order of ['oldest', 'newest']) {
      const seen: unknown[] = [];
      let cursor = '';
      do {
        const page = await history(`?order=${order}&limit=1${cursor}`, 'carl');
        seen.push(...page.items);
        cursor = page.next === null ? '' : `&cursor=${page.next}`;
        if (order === 'newest' && seen.length === 1) await tell(carl.becomes('unpaid'));
      } while (cursor !== '' && seen.length <= before.length);
      expect(seen).toEqual(order === 'oldest' ? before : before.toReversed());
    }
    expect((await history('', 'carl')).items).toHaveLength(4);
  });

  it('lists upgrades alone, with the invoice that was paid for each, who paid it, and how much', async () => {
    const { items } = await history('?kind=upgrade');
    const bill = (n: number, amountPaid: number) => ({
      invoice: `in_demo${ann.name}${n}`,
      customer: `cus_demo${ann.name}`,
      amountPaid,
      currency: expect.any(String),
      paidAt: expect.stringMatching(/Z$/),
      stripeEventId: expect.stringMatching(/^evt_/),
    });
    expect(items.map(({ upgrade }) => upgrade)).toEqual([
      { from: 'free', to: 'plus', payment: bill(1, 1900) },
      { from: 'plus', to: 'pro', payment: bill(2, expect.any(Number)) },
    ]);
    expect((await history('?kind=upgrade&order=newest&limit=1')).items).toEqual(items.slice(1));
    expect((await history('?kind=upgrade', 'bea')).items.map(({ upgrade }) => upgrade)).toEqual([
      { from: 'free', to: 'plus', payment: null },
    ]);
  });

  it('names who did by hand what was done by hand, and why', async () => {
    const { items } = await history('', 'bea');
    expect(items[0]?.cause).toMatchObject({
      type: 'SubscriptionLinked',
      actor: 'admin-key',
      reason: 'a gift',
      stripe: null,
    });
    expect((await history('', 'bob')).items.at(-1)?.cause).toMatchObject({ type: 'SubscriptionLinked' });
    expect(await history('', 'nobody')).toEqual({ items: [], next: null });
  });

  it('tells the reasons of each snapshot when asked, with the events behind them', async () => {
    const { items } = await history('?explain=true');
    expect(items.map(({ reasons }) => reasons?.find(({ of }) => of === 'plan')?.words)).toEqual([
      expect.stringContaining('plus'),
      expect.stringContaining('plus'),
      expect.stringContaining('pro'),
      expect.stringContaining('free'),
    ]);
    for (const { reasons, cause } of items) {
      const named = reasons?.flatMap(({ events }) => events.map(({ id }) => id));
      expect(named).toContain(cause.kind === 'event' ? cause.id : null);
    }
    expect((await history('')).items[0]).not.toHaveProperty('reasons');
  });

  it.each([
    ['ann/history?order=up', 400, 'invalid_request'],
    ['ann/history?cursor=x', 400, 'invalid_request'],
    ['ann/history?cursor=9-1', 410, 'history_rebuilt'],
    ['ann/history?user=bob', 400, 'unsupported_parameter'],
    ['%00/history', 400, 'invalid_user_id'],
  ])('refuses %s', async (path, status, code) => {
    const answer = await service.ask('GET', `/v1/audit/users/${path}`);
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
  });
});

describe('The life of a user, at the command line', () => {
  async function replayed(...args: readonly string[]): Promise<string> {
    let [out, err] = ['', ''];
    const code = await runCli(['audit', 'replay', ...args], {
      environment: { ...service.environment, USER: 'ida' },
      out: (text) => {
        out += text;
      },
      err: (text) => {
        err += text;
      },
    });
    expect([code, err]).toEqual([0, '']);
    return out;
  }

  it('is told event by event, with what each said, what the user could do then, and why', async () => {
    const text = await replayed('--user', 'ann');
    const { items } = await history('?explain=true');
    const told = (await log()).filter(({ stream }) => stream.endsWith(ann.id));
    const positions = [...text.matchAll(/^\S+ {2}(\d+) {2}\w+/gm)].map(([, position]) => position);
    expect(positions).toEqual(told.map(({ position }) => position));
    expect(text.match(/→ .*/g)).toEqual(
      items.map(({ snapshot: { plan, role, status } }) => `→ ${plan} (role ${role}, status ${status})`),
    );
    expect(text).toContain(`the invoice in_demo${ann.name}1 is paid, 1900 of 1900`);
    for (const { reasons } of items) expect(text).toContain(reasons?.find(({ of }) => of === 'plan')?.words);
    const { recordedAt } = JSON.parse(told[1]?.metadata ?? '');
    const lines = (
      await replayed('--user', 'ann', '--json', '--until', recordedAt, '--actor', 'cli:jo')
    ).trim();
    expect(lines.split('\n').map((line) => JSON.parse(line).event.position)).toEqual(positions.slice(0, 2));
    const readers = (await log()).flatMap((stored) => {
      const { type, data } = parseEvent(stored);
      return type === 'AuditAccessed' && data.kind === 'replay' ? [data.reader] : [];
    });
    expect(readers).toEqual(['cli:ida', 'cli:jo']);
  });
});

describe('A look at what is kept for audits', () => {
  it('is recorded once for a reader, kind, user and hour, before it is answered', async () => {
    await inOneHour(async () => {
      const before = (await looks()).length;
      for (const path of [
        'events?user=cleo',
        'events?user=cleo',
        'entitlements',
        'entitlements?cursor=a',
        'events?user=dan',
      ]) {
        expect((await service.ask('GET', `/v1/audit/${path}`)).status).toBe(200);
      }
      const told = ['events of cleo', 'entitlements of all', 'events of dan'];
      expect((await looks()).slice(before)).toEqual(told);
    });
  });
});

describe('Readers of the log who read 1 KB a second', () => {
  /** More than there are connections to the database. */
  const READERS = 24;
  /** The log is longer than what connections hold of an answer that nobody reads. */
  const USERS = 500;

  const ofLog = async (): Promise<void> => {
    const store = await openEventStore(loadSettings(service.environment), {
      pool: service.stores.database.pool,
      databaseUrl: service.stores.database.url,
      onFault: () => undefined,
    });
    const prices = { plus: PLUS.id, pro: PRO.id };
    const filling = { users: USERS, prices, events: 5, begin: 'earlier' } as const;
    const position = await recordCopies(store, service.prefix, filling);
    await store.close();
    await until('the log is folded', async () => {
      const { status } = await service.get(`/v1/users/u7/entitlements?minPosition=${position}`);
      return status === 200;
    });
    // One after the other: all stay open, and a slow machine need not begin them all at one moment.
    const readers: SlowReader[] = [];
    while (readers.length < READERS) {
      readers.push(await SlowReader.open(service.url, '/v1/audit/events'));
    }
    expect(readers.map(({ status }) => status)).toEqual(readers.map(() => 200));

    const dora = buyer('dora');
    await service.receive(dora.started('active').body);
    const paid = await service.receive(dora.pays('subscription_create').body);
    expect(await service.entitlements('dora', paid.position)).toMatchObject({ plan: 'plus' });
    expect((await history('', 'dora')).items).not.toEqual([]);
    const { text } = await service.ask('GET', '/v1/audit/events');
    expect(text.split('\n').length).toBeGreaterThan(USERS * filling.events);
    expect(readers.filter(({ isOver }) => isOver)).toEqual([]);

    expect(await service.tenure.close()).toEqual([]);
    for (const reader of readers) reader.hurry();
    await until('all are cut off', () => readers.every(({ isOver }) => isOver));
    expect(readers.filter(({ bytes }) => bytes >= Buffer.byteLength(text))).toEqual([]);
  };

  const ofLongLog = async (): Promise<void> => {
    const log = await LongLog.start(LONG_LOG_EVENTS);
    try {
      const alone = await timesOf(log);
      const ofAll = ['/v1/audit/events', '/v1/audit/entitlements'];
      const paths = [...ofAll, ...Array.from({ length: READERS }, () => '/v1/audit/events')];
      const readers = await Promise.all(paths.map((path) => SlowReader.open(log.url, path)));
      expect(readers.map(({ status }) => status)).toEqual(readers.map(() => 200));
      const beside = await timesOf(log);
      tell(`answers alone ${alone}; beside ${readers.length} slow readers ${beside}`);
      expect(await log.read()).toBeGreaterThan(LONG_LOG_EVENTS);
      expect(readers.filter(({ isOver }) => isOver)).toEqual([]);

      const began = performance.now();
      // 1 is what it ends with where it gives up waiting after 20 s.
      expect(await log.process.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
      tell(`ended ${((performance.now() - began) / 1_000).toFixed(1)} s after the stop`);
    } finally {
      await log.end();
    }
  };
  // What is held or not is the same with either store; one event after the other, an EventStoreDB is filled slowly.
  if (!logInEventStoreDb()) it('hold nothing that others need, and a stop waits for none of them', ofLog);
  if (LONG_LOG_EVENTS > 0)
    it('of a long log do neither, of a service that is a process', ofLongLog, LONG_LOG_MS);
});

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
