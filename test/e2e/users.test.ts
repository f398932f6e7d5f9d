import { z } from 'zod';
import { buyer, PRO } from '../support/buyer.js';
import { problemCode } from '../support/http-call.js';
import { SHIPPED_PLANS, startService, type TestService } from '../support/service.js';

const page = z.strictObject({
  items: z.array(z.looseObject({ userId: z.string() })),
  next: z.string().nullable(),
});

/** Whoever bought something. */
const EVERYONE = ['ann', 'bob', 'cleo', 'a user/é'];

let service: TestService;
beforeAll(async () => {
  service = await startService({ environment: SHIPPED_PLANS });
  let position: string | undefined;
  for (const [user, price] of [['ann'], ['bob', PRO], ['cleo'], ['a user/é', PRO]] as const) {
    ({ position } = await service.receive(buyer(user, price).started('active').body));
  }
  await service.entitlements('ann', position);
  await service.entitlements('never heard of');
});
afterAll(() => service.close());

describe('The list of users, over HTTP', () => {
  async function list(query: string): Promise<z.infer<typeof page>> {
    const answer = await service.ask('GET', `/v1/users${query}`);
    expect(answer.status).toBe(200);
    return page.parse(answer.body);
  }

  it('says of each what their snapshot says, and lists nobody else', async () => {
    const { items, next } = await list('');
    expect(items.map(({ userId }) => userId)).toEqual(await service.inStoredOrder(...EVERYONE));
    expect(next).toBeNull();
    for (const item of items) expect(await service.entitlements(item.userId)).toMatchObject(item);
    expect(Object.keys(items[0] ?? {}).sort()).toEqual([
      'cancelAt',
      'changedAt',
      'expiresAt',
      'plan',
      'revocationVersion',
      'role',
      'status',
      'subscriptionActive',
      'userId',
      'validUntil',
    ]);
  });

  it('is filtered and goes page by page', async () => {
    const ids = async (query: string) => (await list(query)).items.map(({ userId }) => userId);
    expect(await ids('?plan=pro')).toEqual(await service.inStoredOrder('a user/é', 'bob'));
    expect(await ids('?role=paid&status=active&plan=plus')).toEqual(
      await service.inStoredOrder('ann', 'cleo'),
    );
    expect(await ids('?status=canceled')).toEqual([]);
    expect(await ids('?plan=none')).toEqual([]);
    const seen: string[] = [];
    let cursor = '';
    do {
      const { items, next } = await list(`?limit=1&cursor=${encodeURIComponent(cursor)}`);
      seen.push(...items.map(({ userId }) => userId));
      cursor = next ?? '';
    } while (cursor !== '');
    expect(seen).toEqual(await service.inStoredOrder(...EVERYONE));
  });

  it.each<[string, string]>([
    ['?status=good', 'invalid_request'],
    ['?status=active&status=paused', 'invalid_request'],
    ['?plan=a&plan=b', 'invalid_request'],
    ['?role=%00', 'invalid_request'],
    ['?limit=0', 'invalid_request'],
    ['?limit=1001', 'invalid_request'],
    ['?cursor=%00', 'invalid_request'],
    ['?page=2', 'unsupported_parameter'],
  ])('refuses %s', async (query, code) => {
    const answer = await service.ask('GET', `/v1/users${query}`);
    expect(answer.status).toBe(400);
    expect(problemCode(answer)).toBe(code);
  });
});

describe('Questions as of a moment, over HTTP', () => {
  const NOW = '2099-01-01T00:00:00Z';
  const line = z.looseObject({ userId: z.string(), plan: z.string() });

  async function everyone(query: string): Promise<readonly z.infer<typeof line>[]> {
    const { status, text, headers } = await service.ask('GET', `/v1/audit/entitlements${query}`);
    expect([status, headers['content-type']]).toEqual([200, 'application/x-ndjson; charset=utf-8']);
    return text
      .split('\n')
      .slice(0, -1)
      .map((json) => line.parse(JSON.parse(json)));
  }

  it.each<[string, number, string]>([
    ['at=yesterday', 400, 'invalid_request'],
    ['at=2026-11-01', 400, 'invalid_request'],
    ['at=9999-12-31T23:59:59-01:00', 400, 'invalid_request'],
    ['knownAt=2026-11-01T00:00:00', 400, 'invalid_request'],
    ['at=2026-11-01T00:00:00Z&at=2026-11-02T00:00:00Z', 400, 'invalid_request'],
    [`knownAt=${NOW}`, 422, 'time_in_future'],
    [`at=${NOW}&knownAt=${NOW}`, 422, 'time_in_future'],
    [`at=${NOW}&minPosition=1`, 422, 'conflicting_parameters'],
    ['knownAt=2026-01-01T00:00:00Z&wait=25', 422, 'conflicting_parameters'],
    ['at=2026-01-01T00:00:00Z&wait=25', 422, 'conflicting_parameters'],
    ['when=now', 400, 'unsupported_parameter'],
  ])('are refused with %s', async (query, status, code) => {
    const answer = await service.ask('GET', `/v1/users/ann/entitlements?${query}`);
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
  });

  it('have an ETag of their body, and none of what is served now', async () => {
    const path = `/v1/users/ann/entitlements?at=2026-01-01T00:00:00Z&knownAt=${new Date().toISOString()}`;
    const { headers, body } = await service.ask('GET', path);
    expect(body).toMatchObject({ plan: 'free', unobserved: true, position: headers['tenure-position'] });
    const again = await service.ask('GET', path, undefined, { 'if-none-match': headers.etag ?? '' });
    expect([again.status, again.text]).toEqual([304, '']);
    const unknown = await service.ask('GET', `/v1/users/nobody/entitlements?at=${NOW}`);
    expect(unknown.body).toMatchObject({ plan: 'free', asOf: { since: null }, unobserved: true });
  });

  it('are answered of everyone who was known, by id, from a cursor on', async () => {
    const inOrder = await service.inStoredOrder(...EVERYONE);
    const known = await everyone('');
    expect(known.map(({ userId }) => userId)).toEqual(inOrder);
    expect(known.map(({ userId, plan }) => `${userId} ${plan}`).sort()).toEqual([
      'a user/é pro',
      'ann plus',
      'bob pro',
      'cleo plus',
    ]);
    const cursor = encodeURIComponent(inOrder[1] ?? '');
    const later = await everyone(`?at=${NOW}&cursor=${cursor}`);
    expect(later.map(({ userId }) => userId)).toEqual(inOrder.slice(2));
    const served = await everyone(`?knownAt=${new Date().toISOString()}`);
    for (const { userId, asOf, position, ...each } of served) {
      expect(await service.entitlements(userId)).toMatchObject(each);
    }
    expect(await everyone('?knownAt=0000-01-01T00:00:00Z')).toEqual([]);
    const { body } = await service.ask('GET', '/v1/audit/entitlements?knownAt=2099-01-01T00:00:00Z');
    expect(body).toMatchObject({ code: 'time_in_future' });
  });
});
