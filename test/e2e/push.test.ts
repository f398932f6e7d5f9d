import { buyer } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';
import { until } from '../support/until.js';
import { readEvents } from './support/event-reader.js';

let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: SHIPPED_PLANS });
});
afterAll(() => service.close());

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
