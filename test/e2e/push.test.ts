import { createTenure, type Tenure } from '../../src/bootstrap.js';
import { loadSettings } from '../../src/config/settings.js';
import { StreamPlaces } from '../../src/push/stream-places.js';
import { type CuttingProxy, cuttingProxy } from '../contract/cutting-proxy.js';
import { buyer } from '../support/buyer.js';
import { call, problemCode, whenLevel } from '../support/http-call.js';
import { IdentityProvider } from '../support/identity-provider.js';
import { AUTHORIZED, SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';
import { type ReadEvent, readEvents } from './support/event-reader.js';

let provider: IdentityProvider;
let service: TestService;
/** A second instance, on the same database and log. */
let other: Tenure;
beforeAll(async () => {
  provider = await IdentityProvider.start();
  const environment = { ...SHIPPED_PLANS, ...provider.environment, STREAMS_PER_USER: '2' };
  service = await startService({ environment });
  other = await createTenure(loadSettings(service.environment), { threads: 'none' });
});
afterAll(async () => {
  await other.close();
  await service.close();
  await provider.close();
});

describe('The revocation feed over HTTP', () => {
  const FEED = '/v1/revocations';

  it('is read page by page, followed as a stream, and told to come again elsewhere when it was reset', async () => {
    const start = (await service.get(FEED)).body.cursor;
    const reader = await readEvents(service.url, 'GET', `${FEED}/stream?after=${start}`);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(await reader.first('heartbeat')).toEqual({ cursor: start });
    const dora = buyer('dora');
    await service.receive(dora.started('active').body);
    const line = { kind: 'user', id: 'dora', version: 1 };
    expect(await reader.first('revocation')).toMatchObject(line);
    const [first] = reader.events.filter(({ event }) => event === 'revocation');
    expect(first?.data).toMatchObject({ cursor: first?.id });
    reader.leave();

    const page = await service.get(`${FEED}?after=${start}&limit=1`);
    expect(page.body).toMatchObject({ revocations: [line], cursor: first?.id, hasMore: false });
    expect(page.headers['cache-control']).toBe('no-store');
    const again = await readEvents(service.url, 'GET', `${FEED}/stream?after=${start}`, undefined, {
      'last-event-id': String(first?.id),
    });
    expect(await again.first('heartbeat')).toEqual({ cursor: first?.id });
    expect(again.events.map(({ event }) => event)).toEqual(['heartbeat']);

    await service.stores.database.pool.query(`update tenure.revocation_feed_head set epoch = 'fff'`);
    await until('the stream to end', () => again.events.some(({ event }) => event === 'problem'));
    expect(again.events.at(-1)?.data).toMatchObject({ code: 'feed_reset', status: 410 });
    expect(await again.ended).toBe(true);
    for (const path of [`${FEED}?after=${start}`, `${FEED}/stream?after=${start}`]) {
      const answer = await service.get(path);
      expect([answer.status, problemCode(answer)]).toEqual([410, 'feed_reset']);
    }
    expect((await service.get(FEED)).body).toMatchObject({ revocations: [{ cursor: 'fff.1' }] });
  });
});

/** What was told of a user, without the heartbeats. */
function toldBy({ events }: { readonly events: readonly ReadEvent[] }): readonly string[] {
  return events.map(({ event, data }) => {
    const { plan, revocationVersion } = data as { plan: string; revocationVersion: number };
    return `${event} ${plan} ${revocationVersion}`;
  });
}

describe('A stream of a user over HTTP', () => {
  const pathOf = (userId: string): string => `/v1/users/${userId}/entitlements/stream`;

  it('tells each change on every instance, whichever wrote it, and goes on where it broke off', async () => {
    const erin = buyer('erin');
    const [here, there] = await Promise.all([
      readEvents(service.url, 'GET', pathOf('erin')),
      readEvents(other.url, 'GET', pathOf('erin')),
    ]);
    expect(here.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    await Promise.all([here.first('snapshot'), there.first('snapshot')]);
    await service.receive(erin.started('active').body);
    await Promise.all([here.first('change'), there.first('change')]);
    await service.receive(erin.cancelsAtPeriodEnd().body);
    await Promise.all([here.first('update'), there.first('update')]);
    for (const reader of [here, there]) {
      expect(toldBy(reader)).toEqual(['snapshot free 0', 'change plus 1', 'update plus 1']);
    }
    const last = there.events.at(-1);
    const { body, text, headers } = await service.get('/v1/users/erin/entitlements');
    expect(last?.data).toEqual({ ...body, etag: headers.etag });
    expect(JSON.stringify(last?.data)).toBe(`${text.slice(0, -1)},"etag":${JSON.stringify(headers.etag)}}`);
    here.leave();
    there.leave();

    const again = (id: string) =>
      readEvents(other.url, 'GET', pathOf('erin'), undefined, { 'last-event-id': id });
    const same = await again(String(last?.id));
    expect(await same.first('snapshot')).toMatchObject({ revocationVersion: 1 });
    same.leave();
    const { position } = await service.receive(erin.ends().body);
    // What it saw on one instance it never sees undone on another that is behind.
    const behind = await again(`${position}.1.${String(last?.id).split('.')[2]}`);
    expect(await behind.first('change')).toMatchObject({ plan: 'free', revocationVersion: 2 });
    behind.leave();
    await until('all to be gone', () => other.app.get(StreamPlaces).taken === 0);
  });

  it('is refused beyond the limit of a user, and when it cannot be read', async () => {
    const open = [
      await readEvents(service.url, 'GET', pathOf('fred')),
      await readEvents(service.url, 'GET', pathOf('fred')),
    ];
    const refused = await service.get(pathOf('fred'));
    expect([refused.status, problemCode(refused)]).toEqual([429, 'too_many_streams']);
    expect(refused.headers['retry-after']).toMatch(/^\d+$/);
    for (const reader of open) reader.leave();
    await until('they are gone', () => service.tenure.app.get(StreamPlaces).taken === 0);
    const ahead = await service.get(`${pathOf('fred')}?minPosition=999999999`);
    expect([ahead.status, problemCode(ahead)]).toEqual([412, 'position_unknown']);
    expect(problemCode(await service.get(`${pathOf('fred')}?wait=1`))).toBe('unsupported_parameter');
    expect(service.tenure.app.get(StreamPlaces).taken).toBe(0);
  });

  it('ends with the token that opened it', async () => {
    /** `null` where the machine took longer to open it than the token held. */
    const opened = async (seconds: number) => {
      const exp = Math.floor(Date.now() / 1_000) + seconds;
      const authorization = `Bearer ${await provider.token('gil', { exp })}`;
      const path = '/v1/me/entitlements/stream';
      const reader = await readEvents(service.url, 'GET', path, undefined, { authorization });
      let isOver = false;
      void reader.ended.then(() => {
        isOver = true;
      });
      await until('it to tell or to end', () => isOver || reader.events.length > 0);
      return reader.events.length > 0 ? { reader, authorization } : null;
    };
    const stream = (await opened(2)) ?? (await opened(30));
    if (stream === null) throw new Error('it does not open');
    const { reader, authorization } = stream;
    expect(await reader.first('snapshot')).toMatchObject({ userId: 'gil' });
    expect(await reader.ended).toBe(true);
    const theirs = await service.call({ path: pathOf('erin'), headers: { authorization } });
    expect([401, 403]).toContain(theirs.status);
  });
});

describe('An instance that no notification of the database reaches', () => {
  let proxy: CuttingProxy;
  let deaf: Tenure;
  const heard: string[] = [];
  beforeAll(async () => {
    proxy = await cuttingProxy(service.stores.database.url, (bytes) => {
      const text = bytes.toString('latin1');
      // It listens to channels of which nobody is told: of the same length, as the protocol tells lengths.
      const other = text.replace(/listen (\w+)\w/gi, (asked, channel: string) => {
        heard.push(asked);
        return `listen ${channel}_`;
      });
      return Buffer.from(other, 'latin1');
    });
    const settings = loadSettings({ ...service.environment, DATABASE_URL: proxy.url });
    deaf = await createTenure(settings, { threads: 'none' });
    await until('it to listen', () => heard.length > 1);
  });
  afterAll(async () => {
    await deaf.close();
    await proxy.close();
  });

  it('finds every change by looking: streams and waits get it, and nothing of before is served then', async () => {
    const kim = buyer('kim');
    const path = '/v1/users/kim/entitlements';
    const read = () => call(deaf.url, { path, headers: AUTHORIZED });
    const readAt = (position: string | undefined) =>
      whenLevel(() => call(deaf.url, { path: `${path}?minPosition=${position}`, headers: AUTHORIZED }));
    const stream = await readEvents(deaf.url, 'GET', `${path}/stream`);
    await stream.first('snapshot');
    const changes = [kim.started('active').body, kim.ends().body];
    for (const [index, body] of changes.entries()) {
      const version = index + 1;
      const etag = String((await read()).headers.etag);
      const wait = call(deaf.url, {
        path: `${path}?wait=25`,
        headers: { ...AUTHORIZED, 'if-none-match': etag },
      });
      const { position } = await service.receive(body);
      expect((await wait).body).toMatchObject({ revocationVersion: version });
      await until('the stream to tell it', () => toldBy(stream).length === version + 1);
      expect((await read()).body).toMatchObject({ revocationVersion: version });
      const reached = await readAt(position);
      expect(reached.body).toMatchObject({ revocationVersion: version });
    }
    expect(toldBy(stream)).toEqual(['snapshot free 0', 'change plus 1', 'change free 2']);

    // Nor does it serve what it remembers where it cannot look any more.
    proxy.requests = 'hold';
    await until('it to say so', async () => (await read()).status === 503);
    const { position } = await service.receive(buyer('kim').started('active').body);
    expect((await read()).status).toBe(503);
    proxy.requests = 'pass';
    proxy.cutAll();
    await until('it to read again', async () => (await read()).status === 200);
    const after = await readAt(position);
    expect(after.body).toMatchObject({ plan: 'plus', revocationVersion: 3 });
    await until('the stream to tell it, too', () => toldBy(stream).length === 4);
    expect(toldBy(stream).at(-1)).toBe('change plus 3');
    stream.leave();
  });
});

describe('A long poll', () => {
  const PATH = '/v1/users/hal/entitlements';
  const wait = (url: string, query: string, etag: string) =>
    call(url, { path: `${PATH}?${query}`, headers: { ...AUTHORIZED, 'if-none-match': etag } });

  it('ends with the change, with the time, at once where there is news, and with a stop', async () => {
    const hal = buyer('hal');
    const first = await service.get(`${PATH}?wait=25`);
    expect(first.status).toBe(200);
    const etag = String(first.headers.etag);
    expect((await wait(service.url, 'wait=25', '"else"')).status).toBe(200);
    expect(await wait(service.url, 'wait=1', etag)).toMatchObject({ status: 304, headers: { etag } });

    const polls = [wait(service.url, 'wait=25', etag), wait(other.url, 'wait=25', etag)];
    const { position } = await service.receive(hal.started('active').body);
    for (const { status, body, headers } of await Promise.all(polls)) {
      expect([status, body.plan, body.revocationVersion]).toEqual([200, 'plus', 1]);
      expect(Number(headers['tenure-position'])).toBeGreaterThanOrEqual(Number(position));
    }

    // A change that leaves the version is news to the ETag alone.
    const known = String((await service.get(PATH)).headers.etag);
    const byVersion = wait(service.url, 'wait=25&version=1', known);
    expect((await wait(service.url, 'wait=0&version=1', known)).status).toBe(304);
    await service.receive(hal.cancelsAtPeriodEnd().body);
    expect((await wait(service.url, 'wait=25', known)).body).toMatchObject({ revocationVersion: 1 });
    await service.receive(hal.ends().body);
    expect((await byVersion).body).toMatchObject({ plan: 'free', revocationVersion: 2 });

    const third = await createTenure(loadSettings(service.environment), { threads: 'none' });
    const last = String((await service.get(PATH)).headers.etag);
    const stopped = wait(third.url, 'wait=25', last);
    const stream = await readEvents(third.url, 'GET', `${PATH}/stream`);
    await stream.first('snapshot');
    await until('both to be open', () => third.app.get(StreamPlaces).taken === 2);
    await third.close();
    const { status, headers } = await stopped;
    expect([status, headers['retry-after']]).toEqual([304, expect.stringMatching(/^\d+$/)]);
    expect(await stream.ended).toBe(true);
  });

  it.each([
    ['wait=26', 400, 'invalid_request'],
    ['version=1', 400, 'invalid_request'],
    ['wait=1&explain=true', 422, 'conflicting_parameters'],
    ['wait=1&at=2026-01-01T00:00:00Z', 422, 'conflicting_parameters'],
  ])('with %s is refused', async (query, status, code) => {
    const answer = await service.get(`${PATH}?${query}`);
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
  });
});

describe('A reply to what wrote', () => {
  it('tells the position, which a reader on any instance may ask for, also when it is said again', async () => {
    const delivered = await service.deliver(buyer('ida').started('active').body);
    expect(delivered.headers['tenure-position']).toBe(delivered.body.position);
    const grant = { plan: 'pro', reason: 'a test' };
    const key = { 'idempotency-key': 'grant-to-ida' };
    const granted = await service.ask('POST', '/v1/users/ida/grants', grant, key);
    const position = granted.headers['tenure-position'];
    expect([granted.status, position]).toEqual([201, granted.body.position]);
    const again = await service.ask('POST', '/v1/users/ida/grants', grant, key);
    expect(again.headers['tenure-position']).toBe(position);
    const read = (what: string) =>
      whenLevel(() =>
        call(other.url, { path: `/v1/users/ida/${what}?minPosition=${position}`, headers: AUTHORIZED }),
      );
    expect((await read('entitlements')).body).toMatchObject({ plan: 'pro' });
    expect((await read('features/api')).body).toMatchObject({ allowed: true });
    const batch = (at: string) =>
      service.ask('POST', `/v1/entitlements/batch?minPosition=${at}`, { userIds: ['ida'] });
    expect((await batch(String(position))).body.entitlements).toMatchObject([{ plan: 'pro' }]);
    expect(problemCode(await batch('999999999'))).toBe('position_unknown');
  });
});
